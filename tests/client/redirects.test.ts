import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ClientError,
  ClientPayloadError,
  ClientSession,
  CookieJar,
  InvalidUrlRedirectClientError,
  NonHttpUrlRedirectClientError,
  RedirectClientError,
  TooManyRedirects,
} from '../../src/client/index.ts';
import { ok, RawServer, redirect } from './raw-server.ts';

describe('redirects', () => {
  const methods: readonly (readonly [number, string, string, boolean])[] = [
    [301, 'POST', 'GET', false],
    [302, 'POST', 'GET', false],
    [303, 'POST', 'GET', false],
    [303, 'PUT', 'GET', false],
    [303, 'HEAD', 'HEAD', false],
    [301, 'PUT', 'PUT', true],
    [302, 'PUT', 'PUT', true],
    [302, 'DELETE', 'DELETE', true],
    [307, 'POST', 'POST', true],
    [308, 'POST', 'POST', true],
    [308, 'PATCH', 'PATCH', true],
  ];
  for (const [status, method, next, keepsBody] of methods) {
    test(`${status} to ${method} is followed by ${next} ${keepsBody ? 'with' : 'without'} the body`, async () => {
      await using server = await RawServer.start(({ number, head }) =>
        number === 1
          ? redirect('/next', status)
          : head.startsWith('HEAD')
            ? 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'
            : ok('done'),
      );
      await using session = new ClientSession();
      const data = method === 'HEAD' ? undefined : 'body';
      const headers = { 'Content-Type': 'text/x', 'Content-Language': 'en', 'X-Kept': '1' };
      const response = await session.request(method, `${server.url}/first`, { data, headers });
      assert.equal(response.status, 200);
      const second = server.requests[1]!;
      assert.ok(second.head.startsWith(`${next} /next HTTP`), second.head);
      assert.equal(second.body, keepsBody ? 'body' : '');
      assert.equal(/content-(?:type|language|length):/i.test(second.head), keepsBody || next === 'HEAD');
      assert.match(second.head, /X-Kept: 1/);
      assert.deepEqual(
        response.history.map((past) => [past.status, past.url.pathname]),
        [[status, '/first']],
      );
      assert.equal(server.connections, 1);
    });
  }

  test('the number is limited: with 3 exactly 3 requests are sent', async () => {
    await using server = await RawServer.start(({ number }) => redirect(`/${number}`));
    await using session = new ClientSession();
    await assert.rejects(session.get(server.url, { maxRedirects: 3 }), (error: unknown) => {
      assert.ok(error instanceof TooManyRedirects);
      assert.equal(error.status, 0);
      assert.equal(error.history.length, 3);
      return true;
    });
    assert.equal(server.requests.length, 3);
    assert.equal(session.stats().busy, 0);
  });

  test('allowRedirects: false gives the redirect', async () => {
    await using server = await RawServer.start(() => redirect('/x'));
    await using session = new ClientSession();
    const response = await session.get(server.url, { allowRedirects: false });
    assert.equal(response.status, 302);
    assert.deepEqual(response.history, []);
  });

  test('a redirect without Location is the response, and its own entry in the history', async () => {
    await using server = await RawServer.start(() => ok('here', '', '302 Found'));
    await using session = new ClientSession();
    const response = await session.get(server.url);
    assert.equal(await response.text(), 'here');
    assert.deepEqual(response.history, [response]);
  });

  const bad: readonly (readonly [string, new (...args: never[]) => Error])[] = [
    ['ftp://h/', NonHttpUrlRedirectClientError],
    ['javascript:alert(1)', NonHttpUrlRedirectClientError],
    ['http://h:99999/', InvalidUrlRedirectClientError],
    ['http://[::1/', InvalidUrlRedirectClientError],
    ['http://', InvalidUrlRedirectClientError],
    ['http://2130706433/', InvalidUrlRedirectClientError],
  ];
  for (const [location, expected] of bad) {
    test(`${location} is refused`, async () => {
      await using server = await RawServer.start(() => redirect(location));
      await using session = new ClientSession();
      await assert.rejects(session.get(server.url), (error: unknown) => {
        assert.ok(error instanceof expected);
        assert.ok(error instanceof RedirectClientError);
        assert.ok(error instanceof ClientError);
        return true;
      });
    });
  }

  test('Location is requoted, or kept byte for byte', async () => {
    const answers = ({ number }: { number: number }): string =>
      number % 2 === 1 ? redirect(Buffer.from('/%41 é?a=%2d').toString('latin1')) : ok();
    await using server = await RawServer.start(answers);
    await using session = new ClientSession();
    await session.get(server.url);
    await using exact = new ClientSession({ requoteRedirectUrl: false });
    await exact.get(server.url);
    assert.equal(server.requests[1]!.head.split(' ')[1], '/A%20%C3%A9?a=-');
    assert.equal(server.requests[3]!.head.split(' ')[1], '/%41%20%C3%A9?a=%2d');
  });

  test('the fragment is kept and the parameters are not', async () => {
    await using server = await RawServer.start(({ number }) => (number === 1 ? redirect('/x') : ok()));
    await using session = new ClientSession();
    const response = await session.get(`${server.url}/a#part`, { params: { q: '1' } });
    assert.equal(response.realUrl.href, `${server.url}/x#part`);
    assert.ok(server.requests.every(({ head }) => !head.includes('#')));
    assert.equal(server.requests[1]!.head.split(' ')[1], '/x');
  });

  test('no credentials and cookies go to another origin, not even when it redirects back', async () => {
    await using other = await RawServer.start(() => redirect(`${first.url}/back`));
    await using first = await RawServer.start(({ number }) =>
      number === 1 ? redirect(`${other.url}/`) : ok(),
    );
    await using session = new ClientSession({
      headers: { 'proxy-authorization': 'p-secret', 'X-Plain': '1' },
    });
    const headers: [string, string][] = [
      ['Authorization', 'secret1'],
      ['AUTHORIZATION', 'secret2'],
      ['Cookie', 'h=secret3'],
      ['Host', 'host.test'],
    ];
    await session.get(first.url, { headers, cookies: { own: 'secret4' } });
    const [sent, back] = first.requests;
    for (const secret of ['p-secret', 'secret1', 'secret2', 'secret3', 'secret4', 'host.test']) {
      assert.ok(sent!.head.includes(secret), secret);
      assert.ok(!other.requests[0]!.head.includes(secret), secret);
      assert.ok(!back!.head.includes(secret), secret);
    }
    assert.match(other.requests[0]!.head, /X-Plain: 1/);
  });

  test('credentials stay at the same origin; those of the new URL are used', async () => {
    await using server = await RawServer.start(({ number, socket }) =>
      number === 1
        ? redirect('/a')
        : number === 2
          ? redirect(`http://new:pw@127.0.0.1:${socket.localPort}/b`)
          : ok(),
    );
    await using session = new ClientSession();
    await session.get(server.url.replace('//', '//old:pw@'));
    const sent = server.requests.map(({ head }) => /Authorization: Basic (.*)\r\n/.exec(head)?.[1]);
    const of = (name: string): string => Buffer.from(`${name}:pw`).toString('base64');
    assert.deepEqual(sent, [of('old'), of('old'), of('new')]);
  });

  test('cookies of every hop are kept and sent', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? 'HTTP/1.1 302 Go\r\nLocation: /x\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n' : ok(),
    );
    await using session = new ClientSession({ cookieJar: new CookieJar({ unsafe: true }) });
    await session.get(server.url);
    assert.match(server.requests[1]!.head, /Cookie: a=1/);
  });

  test('a body that can be sent once cannot follow, one that is opened again can', async () => {
    await using server = await RawServer.start(({ number }) =>
      number % 2 === 1 ? redirect('/x', 307) : ok(),
    );
    await using session = new ClientSession();
    async function* body(): AsyncGenerator<string> {
      yield 'piece';
    }
    await assert.rejects(session.post(server.url, { data: body() }), ClientPayloadError);
    await using again = await RawServer.start(({ number }) =>
      number % 2 === 1 ? redirect('/x', 307) : ok(),
    );
    assert.equal((await session.post(again.url, { data: body })).status, 200);
    assert.ok(again.requests.every((request) => request.body === '5\r\npiece\r\n0\r\n\r\n'));
  });
});
