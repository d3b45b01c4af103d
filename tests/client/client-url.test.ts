import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientUrl } from '../../src/client/client-url.ts';
import { InvalidUrlClientError, NonHttpUrlClientError } from '../../src/client/index.ts';

const HTTP: ReadonlySet<string> = new Set(['http', 'https']);
const parse = (text: string | URL): ClientUrl => ClientUrl.parse(text, HTTP);

describe('ClientUrl', () => {
  const targets: readonly (readonly [string, string])[] = [
    ['http://h', '/'],
    ['http://h?a=1', '/?a=1'],
    ['http://h/a b/é/%2FA?q=a b', '/a%20b/%C3%A9/%2FA?q=a+b'],
    ['http://h/%41%7e%2d', '/A~-'],
    ['http://h/a/../b/./c', '/b/c'],
    ['http://h/a/%2e%2e/b', '/b'],
    ['http://h/../../a/..', '/'],
    ['http://h/a/.', '/a/'],
    ['http://h/%', '/%25'],
    ['http://h/%2b+?%2b+%20', '/%2B+?%2B+%20'],
    ['http://h/a?x=%26%3d%3b', '/a?x=%26%3D%3B'],
    ['http://h/a?', '/a?'],
    ['http://h/\\x', '/%5Cx'],
    ['http://h/a\nb', '/a%0Ab'],
    ['http://h/a#frag?x', '/a'],
    ['http://h/🌰', '/%F0%9F%8C%B0'],
  ];
  for (const [url, target] of targets) {
    test(`${JSON.stringify(url)} asks for ${target}`, () => assert.equal(parse(url).target, target));
  }

  test('a URL object and an encoded text are sent byte for byte', () => {
    assert.equal(parse(new URL('http://h/%41?x=%2d')).target, '/%41?x=%2d');
    assert.equal(
      ClientUrl.parse('http://h/%41/../é?x=%2d y', HTTP, 'exact').target,
      '/%41/../%C3%A9?x=%2d%20y',
    );
  });

  const hosts: readonly (readonly [string, string, number, string])[] = [
    ['http://EXAMPLE.org', 'example.org', 80, 'example.org'],
    ['http://h:80/', 'h', 80, 'h'],
    ['https://h/', 'h', 443, 'h'],
    ['https://h:80/', 'h', 80, 'h:80'],
    ['http://h:/', 'h', 80, 'h'],
    ['http://[::1]:8080/', '::1', 8080, '[::1]:8080'],
    ['http://127.0.0.1/', '127.0.0.1', 80, '127.0.0.1'],
    ['http://bücher.example/', 'xn--bcher-kva.example', 80, 'xn--bcher-kva.example'],
    ['http://user:p%40ss@h/', 'h', 80, 'h'],
    ['http://my_host-1.test./', 'my_host-1.test.', 80, 'my_host-1.test.'],
  ];
  for (const [url, host, port, authority] of hosts) {
    test(`${url} is at ${authority}`, () => {
      const parsed = parse(url);
      assert.deepEqual([parsed.host, parsed.port, parsed.authority], [host, port, authority]);
    });
  }

  test('credentials are taken out of the URL', () => {
    const url = parse('http://user:p%40ss@h/x#f');
    assert.equal(url.authorization, `Basic ${Buffer.from('user:p@ss').toString('base64')}`);
    assert.equal(url.realUrl.href, 'http://h/x#f');
    assert.equal(url.url.href, 'http://h/x');
    assert.equal(parse('http://h/').authorization, undefined);
  });

  const invalid = [
    'http://',
    'http:///path',
    'http:h/path',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://0177.0.0.1/',
    'http://127.0.0.1./',
    'http://127.0.0.256/',
    'http://１２７.0.0.1/',
    'http://a b/',
    'http://a\\b/',
    'http://a%2fb/',
    'http://[::1/',
    'http://[::1%25eth0]/',
    'http://[x]/',
    'http://h:65536/',
    'http://h:-1/',
    'http://h:8o/',
    'http://a@b@h/',
    'http://a..b/',
    'http://.a/',
    'http://\u0000h/',
    '/relative',
    '//h/x',
    '',
  ];
  for (const url of invalid) {
    test(`${JSON.stringify(url)} is refused`, () => assert.throws(() => parse(url), InvalidUrlClientError));
  }
  for (const url of ['ftp://h/', 'mailto:a@b', 'javascript:alert(1)', 'file:///etc/passwd']) {
    test(`${url} is not HTTP`, () => assert.throws(() => parse(url), NonHttpUrlClientError));
  }

  test('messages hold no password', () => {
    assert.throws(
      () => parse('http://user:secret@h:99999/'),
      (error: Error) => !error.message.includes('secret') && error.message.includes('99999'),
    );
  });

  const base = parse('http://e.com/t1/t?q=1');
  const references: readonly (readonly [string, string])[] = [
    ['t2?q=foo#bar', 'http://e.com/t1/t2?q=foo'],
    ['/t2', 'http://e.com/t2'],
    ['../../x', 'http://e.com/x'],
    ['?q=2', 'http://e.com/t1/t?q=2'],
    ['#f', 'http://e.com/t1/t?q=1'],
    ['', 'http://e.com/t1/t?q=1'],
    ['//other/x', 'http://other/x'],
    ['https://other:8443', 'https://other:8443/'],
    ['./a:b', 'http://e.com/t1/a:b'],
  ];
  for (const [reference, expected] of references) {
    test(`${JSON.stringify(reference)} resolves to ${expected}`, () => {
      assert.equal(base.resolve(reference, HTTP).href, expected);
    });
  }
});
