import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { answer, CLOSE, makeRequest, split, wire } from './answer.ts';

function lines(set: (response: web.Response) => void): string[] {
  const response = new web.Response();
  set(response);
  return response.headers.getSetCookie();
}

describe('cookies of a response', () => {
  const cases: readonly [name: string, set: (response: web.Response) => void, expected: string[]][] = [
    ['plain', (r) => r.setCookie('a', '1'), ['a=1; Path=/']],
    ['a space is quoted', (r) => r.setCookie('a', 'b c'), ['a="b c"; Path=/']],
    [
      'attributes',
      (r) =>
        r.setCookie('s', 'v', { domain: 'ex.com', httpOnly: true, maxAge: 5, sameSite: 'Lax', secure: true }),
      ['s=v; Domain=ex.com; HttpOnly; Max-Age=5; Path=/; SameSite=Lax; Secure'],
    ],
    ['a path of its own', (r) => r.setCookie('a', '1', { path: '/x' }), ['a=1; Path=/x']],
    [
      'deleted',
      (r) => r.delCookie('old'),
      ['old=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/'],
    ],
    [
      'one line each',
      (r) => {
        r.setCookie('a', '1');
        r.setCookie('b', '2');
      },
      ['a=1; Path=/', 'b=2; Path=/'],
    ],
    [
      'a later one of the same name replaces',
      (r) => {
        r.setCookie('a', '1');
        r.setCookie('ab', '2');
        r.setCookie('a', '3', { httpOnly: true });
      },
      ['ab=2; Path=/', 'a=3; HttpOnly; Path=/'],
    ],
    [
      'deleting replaces what was set',
      (r) => {
        r.setCookie('a', '1');
        r.delCookie('a', { path: '/x' });
      },
      ['a=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/x'],
    ],
  ];
  for (const [name, set, expected] of cases) {
    test(name, () => assert.deepEqual(lines(set), expected));
  }

  test('what could split the field or would be dropped by browsers is refused', () => {
    const response = new web.Response();
    assert.throws(() => response.setCookie('a b', '1'), { code: 'AIO_COOKIE_NAME' });
    assert.throws(() => response.setCookie('a', '1', { path: '/\r\nX: y' }), {
      code: 'AIO_COOKIE_ATTRIBUTE',
    });
    assert.throws(() => response.setCookie('a', '1', { domain: 'x;y' }), { code: 'AIO_COOKIE_ATTRIBUTE' });
    assert.throws(() => response.setCookie('__Host-a', '1'), { code: 'AIO_COOKIE_ATTRIBUTE' });
    assert.throws(() => response.setCookie('a', '1', { sameSite: 'None' }), { code: 'AIO_COOKIE_ATTRIBUTE' });
    assert.deepEqual(response.headers.getSetCookie(), []);
  });

  test('cookies lists names and lines', () => {
    const response = new web.Response();
    assert.equal(response.cookies.size, 0);
    response.setCookie('a', '1');
    assert.deepEqual([...response.cookies], [['a', 'a=1; Path=/']]);
  });

  test('go over the wire one per line, with the content type that was there', async () => {
    const text = await wire(() => {
      const response = new web.Response({ text: 'x' });
      response.setCookie('a', '1');
      response.setCookie('b', '2');
      return response;
    }, `GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    const { lines } = split(text);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('Set-Cookie')),
      ['Set-Cookie: a=1; Path=/', 'Set-Cookie: b=2; Path=/'],
    );
    assert.ok(lines.includes('Content-Type: text/plain; charset=utf-8'));
  });

  test('cannot be set after the head was sent', async () => {
    await answer(async (request) => {
      const response = new web.StreamResponse();
      await response.prepare(request);
      assert.throws(() => response.setCookie('a', '1'), { code: 'AIO_RESPONSE_PREPARED' });
      return response;
    });
  });
});

describe('cookies of a request', () => {
  test('are read leniently', () => {
    const request = makeRequest('/', { headers: { Cookie: 'a=1; b="x y"; =bad; c; a=2' } });
    assert.equal(request.cookies.get('a'), '1');
    assert.deepEqual(request.cookies.getAll('a'), ['1', '2']);
    assert.equal(request.cookies.get('b'), 'x y');
    assert.equal(request.cookies.get('c'), '');
    assert.equal(makeRequest('/').cookies.size, 0);
  });

  test('several Cookie fields are one list', async () => {
    let seen: unknown;
    await wire((request) => {
      seen = [...request.cookies];
      return new web.Response();
    }, `GET / HTTP/1.1\r\nCookie: a=1\r\nCookie: b=2, 3\r\n${CLOSE}\r\n`);
    assert.deepEqual(seen, [
      ['a', '1'],
      ['b', '2, 3'],
    ]);
  });
});
