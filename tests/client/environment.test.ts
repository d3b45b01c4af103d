import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EnvironmentProxies, Netrc } from '../../src/client/index.ts';

function proxyOf(environment: Record<string, string>, url: string): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const scheme = protocol.slice(0, -1);
  const proxies = new EnvironmentProxies(environment);
  const host = hostname.replace(/^\[|\]$/g, '');
  return proxies
    .proxyFor({ scheme, host, port: Number(port) || (scheme === 'https' ? 443 : 80) })
    ?.toString();
}

describe('proxies of the environment', () => {
  const cases: readonly (readonly [
    environment: Record<string, string>,
    url: string,
    proxy: string | undefined,
  ])[] = [
    [{}, 'http://a.test/', undefined],
    [{ HTTP_PROXY: 'http://p.test:3128' }, 'http://a.test/', 'http://p.test:3128'],
    [{ HTTP_PROXY: 'http://p.test:3128' }, 'https://a.test/', undefined],
    [
      { http_proxy: 'http://low.test:1', HTTP_PROXY: 'http://up.test:2' },
      'http://a.test/',
      'http://low.test:1',
    ],
    [{ http_proxy: '', HTTP_PROXY: 'http://up.test:2' }, 'http://a.test/', undefined],
    [{ HTTPS_PROXY: 'p.test:3128' }, 'https://a.test/', 'http://p.test:3128'],
    [{ WSS_PROXY: 'socks5://p.test' }, 'wss://a.test/', 'socks5://p.test:1080'],
    [{ ALL_PROXY: 'http://p.test' }, 'ws://a.test/', 'http://p.test:80'],
    [{ ALL_PROXY: 'http://p.test', HTTP_PROXY: 'http://q.test' }, 'http://a.test/', 'http://q.test:80'],
    [{ HTTP_PROXY: 'http://evil.test', REQUEST_METHOD: 'GET' }, 'http://a.test/', undefined],
    [{ http_proxy: 'http://p.test', REQUEST_METHOD: 'GET' }, 'http://a.test/', 'http://p.test:80'],
  ];
  for (const [environment, url, expected] of cases) {
    test(`${JSON.stringify(environment)} for ${url}`, () =>
      assert.equal(proxyOf(environment, url), expected));
  }

  const exceptions: readonly (readonly [
    noProxy: string,
    excepted: readonly string[],
    not: readonly string[],
  ])[] = [
    ['*', ['a.test', '10.0.0.1', '[::1]'], []],
    ['a.test', ['a.test', 'x.a.test', 'A.TEST', 'a.test.'], ['ba.test', 'a.test.org']],
    ['.a.test', ['a.test', 'x.a.test'], ['ba.test']],
    ['*.a.test', ['x.a.test'], ['ba.test']],
    ['a.test:8080', ['a.test:8080'], ['a.test', 'a.test:81']],
    ['b.test, a.test c.test', ['a.test', 'b.test', 'c.test'], ['d.test']],
    ['10.0.0.0/8', ['10.1.2.3'], ['11.0.0.1', 'a10.0.0.1.test']],
    ['192.168.1.7', ['192.168.1.7'], ['192.168.1.8', '1.192.168.1.7.test']],
    ['::1, fd00::/8', ['[::1]', '[fd12::3]'], ['[fe80::1]']],
    ['[::1]', ['[::1]'], ['[::2]']],
    ['[::1]:8080', ['[::1]:8080'], ['[::1]']],
    ['10.0.0.0/99, 10.0.0.0/x', [], ['10.0.0.0', '10.1.2.3']],
    ['', [], ['a.test']],
  ];
  for (const [noProxy, excepted, not] of exceptions) {
    test(`NO_PROXY=${noProxy}`, () => {
      const environment = { HTTP_PROXY: 'http://p.test', NO_PROXY: noProxy };
      for (const host of excepted) assert.equal(proxyOf(environment, `http://${host}/`), undefined, host);
      for (const host of not) assert.ok(proxyOf(environment, `http://${host}/`) !== undefined, host);
    });
  }

  test('credentials are kept, and the same proxy is the same object', () => {
    const proxies = new EnvironmentProxies({ ALL_PROXY: 'http://u:p%40w@p.test' });
    const target = { scheme: 'http', host: 'a.test', port: 80 };
    assert.equal(proxies.proxyFor(target)?.password, 'p@w');
    assert.equal(proxies.proxyFor(target), proxies.proxyFor({ ...target, scheme: 'https' }));
    assert.equal(new EnvironmentProxies({}).isEmpty, true);
  });

  test('a proxy that is none is an error that names the variable and shows no password', () => {
    for (const url of ['ftp://u:secret@p.test', 'http://u:secret@', 'http://u:secret@p.test:99999']) {
      assert.throws(
        () => new EnvironmentProxies({ HTTP_PROXY: url }),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'AIO_PROXY_URL');
          assert.match(error.message, /HTTP_PROXY/);
          assert.doesNotMatch(`${error.stack} ${String(error.cause)}`, /secret/);
          return true;
        },
      );
    }
  });
});

describe('netrc', () => {
  const of = (text: string, host = 'a.test'): string | undefined => {
    const auth = Netrc.parse(text).credentialsFor(host);
    return auth === undefined ? undefined : `${auth.login} ${auth.password}`;
  };
  const cases: readonly (readonly [what: string, text: string, expected: string | undefined])[] = [
    ['one line', 'machine a.test login ada password secret', 'ada secret'],
    [
      'several lines',
      'machine b.test\nlogin x\npassword y\nmachine a.test\r\n\tlogin ada\r\n\tpassword secret\r\n',
      'ada secret',
    ],
    ['another host', 'machine aa.test login ada password secret', undefined],
    ['a host above', 'machine test login ada password secret', undefined],
    ['host in capitals', 'machine A.test login ada password secret', 'ada secret'],
    ['default', 'machine b.test login x password y default login ada password secret', 'ada secret'],
    ['the first counts', 'machine a.test login 1 password 2 machine a.test login 3 password 4', '1 2'],
    ['quotes and escapes', 'machine a.test login "a da" password "se\\"cret"', 'a da se"cret'],
    [
      'comments',
      '# machine a.test login x password y\nmachine a.test # login z\nlogin ada password #secret',
      'ada #secret',
    ],
    ['account is passed over', 'machine a.test login ada account x password secret', 'ada secret'],
    [
      'a macro',
      'machine b.test login x password y\nmacdef init\nmachine a.test login x password y\n\nmachine a.test login ada password secret',
      'ada secret',
    ],
    ['words that look like keywords', 'machine a.test login machine password default', 'machine default'],
    ['a login with a colon', 'machine a.test login a:da password secret', undefined],
    ['broken off', 'machine a.test login', undefined],
    ['nothing', '', undefined],
  ];
  for (const [what, text, expected] of cases) test(what, () => assert.equal(of(text), expected));

  test('never throws', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            'machine',
            'login',
            'password',
            'default',
            'macdef',
            '"',
            '\\',
            '#',
            'x',
            '\n',
            ' ',
          ),
        ),
        (words) => {
          Netrc.parse(words.join(''));
          Netrc.parse(words.join(' '));
        },
      ),
      { seed: 1 },
    );
  });

  test('is read from the file that NETRC names', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'netrc-'));
    try {
      const file = path.join(folder, 'my-netrc');
      await writeFile(file, 'machine a.test login ada password secret');
      assert.equal(Netrc.read({ NETRC: file })?.credentialsFor('a.test')?.password, 'secret');
      assert.equal(Netrc.read({ NETRC: path.join(folder, 'none') }), undefined);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
