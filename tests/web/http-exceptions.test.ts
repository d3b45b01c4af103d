import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';
import { quoteLocation } from '../../src/web/location.ts';
import { answer } from './answer.ts';

const SIMPLE: readonly [number, new (options?: web.HTTPExceptionOptions) => web.HTTPException, unknown][] = [
  [200, web.HTTPOk, web.HTTPSuccessful],
  [201, web.HTTPCreated, web.HTTPSuccessful],
  [202, web.HTTPAccepted, web.HTTPSuccessful],
  [203, web.HTTPNonAuthoritativeInformation, web.HTTPSuccessful],
  [204, web.HTTPNoContent, web.HTTPSuccessful],
  [205, web.HTTPResetContent, web.HTTPSuccessful],
  [206, web.HTTPPartialContent, web.HTTPSuccessful],
  [304, web.HTTPNotModified, web.HTTPRedirection],
  [400, web.HTTPBadRequest, web.HTTPClientError],
  [401, web.HTTPUnauthorized, web.HTTPClientError],
  [402, web.HTTPPaymentRequired, web.HTTPClientError],
  [403, web.HTTPForbidden, web.HTTPClientError],
  [404, web.HTTPNotFound, web.HTTPClientError],
  [406, web.HTTPNotAcceptable, web.HTTPClientError],
  [407, web.HTTPProxyAuthenticationRequired, web.HTTPClientError],
  [408, web.HTTPRequestTimeout, web.HTTPClientError],
  [409, web.HTTPConflict, web.HTTPClientError],
  [410, web.HTTPGone, web.HTTPClientError],
  [411, web.HTTPLengthRequired, web.HTTPClientError],
  [412, web.HTTPPreconditionFailed, web.HTTPClientError],
  [414, web.HTTPRequestURITooLong, web.HTTPClientError],
  [415, web.HTTPUnsupportedMediaType, web.HTTPClientError],
  [416, web.HTTPRequestRangeNotSatisfiable, web.HTTPClientError],
  [417, web.HTTPExpectationFailed, web.HTTPClientError],
  [421, web.HTTPMisdirectedRequest, web.HTTPClientError],
  [422, web.HTTPUnprocessableEntity, web.HTTPClientError],
  [424, web.HTTPFailedDependency, web.HTTPClientError],
  [426, web.HTTPUpgradeRequired, web.HTTPClientError],
  [428, web.HTTPPreconditionRequired, web.HTTPClientError],
  [429, web.HTTPTooManyRequests, web.HTTPClientError],
  [431, web.HTTPRequestHeaderFieldsTooLarge, web.HTTPClientError],
  [500, web.HTTPInternalServerError, web.HTTPServerError],
  [501, web.HTTPNotImplemented, web.HTTPServerError],
  [502, web.HTTPBadGateway, web.HTTPServerError],
  [503, web.HTTPServiceUnavailable, web.HTTPServerError],
  [504, web.HTTPGatewayTimeout, web.HTTPServerError],
  [505, web.HTTPVersionNotSupported, web.HTTPServerError],
  [506, web.HTTPVariantAlsoNegotiates, web.HTTPServerError],
  [507, web.HTTPInsufficientStorage, web.HTTPServerError],
  [510, web.HTTPNotExtended, web.HTTPServerError],
  [511, web.HTTPNetworkAuthenticationRequired, web.HTTPServerError],
];
const MOVES: readonly [number, new (location: string, options?: web.HTTPExceptionOptions) => web.HTTPMove][] =
  [
    [300, web.HTTPMultipleChoices],
    [301, web.HTTPMovedPermanently],
    [302, web.HTTPFound],
    [303, web.HTTPSeeOther],
    [305, web.HTTPUseProxy],
    [307, web.HTTPTemporaryRedirect],
    [308, web.HTTPPermanentRedirect],
  ];
const BODYLESS = [204, 205, 304];

describe('HTTP exceptions', () => {
  for (const [status, type, category] of SIMPLE) {
    test(`${status} ${type.name}`, async () => {
      const error = new type();
      assert.ok(error instanceof Error && error instanceof web.HTTPException);
      assert.ok(error instanceof (category as new () => web.HTTPException));
      assert.equal(error instanceof web.HTTPError, status >= 400);
      assert.equal(error.status, status);
      assert.equal(error.statusCode, status);
      assert.equal((type as unknown as typeof web.HTTPException).status, status);
      assert.equal(error.name, type.name);
      assert.equal(error.code, `AIO_HTTP_${status}`);
      assert.ok(error.reason.length > 0);
      assert.equal(error.message, error.reason);
      assert.equal(error.text, BODYLESS.includes(status) ? undefined : `${status}: ${error.reason}`);
      const response = await answer(() => {
        throw error;
      });
      assert.equal(response.status, status);
      assert.equal(response.statusText, error.reason);
      assert.equal(await response.text(), error.text ?? '');
      assert.equal(
        response.headers.get('content-type'),
        error.text === undefined ? null : 'text/plain; charset=utf-8',
      );
    });
  }

  for (const [status, type] of MOVES) {
    test(`${status} ${type.name} has a location`, async () => {
      const error = new type('/there', { headers: { 'X-Why': 'test' } });
      assert.ok(error instanceof web.HTTPMove && error instanceof web.HTTPRedirection);
      assert.equal(error.location, '/there');
      const response = await answer(() => {
        throw error;
      });
      assert.equal(response.status, status);
      assert.equal(response.headers.get('location'), '/there');
      assert.equal(response.headers.get('x-why'), 'test');
    });
  }

  test('may be returned instead of thrown, and used again', async () => {
    const error = new web.HTTPOk({ text: 'fine', contentType: 'text/html', reason: 'Good' });
    for (let round = 0; round < 2; round++) {
      const response = await answer(() => error);
      assert.equal(response.statusText, 'Good');
      assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.equal(await response.text(), 'fine');
    }
  });

  test('a reason of its own is part of the text', () => {
    assert.equal(new web.HTTPNotFound({ reason: 'No Such User' }).text, '404: No Such User');
    assert.throws(() => new web.HTTPNotFound({ reason: 'a\r\nX: y' }), {
      name: 'RangeError',
      code: 'AIO_REASON',
    });
  });

  test('headers and cookies that were set on it are sent', async () => {
    const response = await answer(() => {
      const error = new web.HTTPTooManyRequests({ headers: { 'Retry-After': '3' } });
      error.headers.set('X-More', 'yes');
      error.setCookie('a', '1');
      error.setCookie('b', '2', { httpOnly: true });
      error.setCookie('a', '3');
      assert.deepEqual([...error.cookies.keys()], ['b', 'a']);
      throw error;
    });
    assert.equal(response.headers.get('retry-after'), '3');
    assert.equal(response.headers.get('x-more'), 'yes');
    assert.deepEqual(response.headers.getSetCookie(), ['b=2; HttpOnly; Path=/', 'a=3; Path=/']);
  });

  test('empty bodies stay empty whatever text is given', async () => {
    assert.equal(new web.HTTPNoContent({ text: 'no' }).text, undefined);
    const response = await answer(() => new web.HTTPResetContent({ text: 'no' }));
    assert.equal(await response.text(), '');
  });

  test('the cause is kept and not shown', async () => {
    const cause = new Error('secret');
    const error = new web.HTTPBadGateway({ cause });
    assert.equal(error.cause, cause);
    assert.ok(!(await (await answer(() => error)).text()).includes('secret'));
  });

  test('405 lists the methods', () => {
    const error = new web.HTTPMethodNotAllowed('PUT', new Set(['POST', 'GET']));
    assert.equal(error.method, 'PUT');
    assert.deepEqual(error.allowedMethods, new Set(['GET', 'POST']));
    assert.equal(error.headers.get('Allow'), 'GET,POST');
    assert.equal(error.text, '405: Method Not Allowed');
  });

  test('413 says the limit', () => {
    const error = new web.HTTPRequestEntityTooLarge(1_048_576);
    assert.equal(error.maxSize, 1_048_576);
    assert.equal(error.text, 'Maximum request body size 1048576 exceeded.');
    assert.equal(error.status, 413);
  });

  test('451 names who blocks', () => {
    const error = new web.HTTPUnavailableForLegalReasons('http://blocker.example/é');
    assert.equal(error.headers.get('Link'), '<http://blocker.example/%C3%A9>; rel="blocked-by"');
    assert.equal(new web.HTTPUnavailableForLegalReasons(undefined).headers.get('Link'), undefined);
    assert.throws(() => new web.HTTPUnavailableForLegalReasons('x>\r\nA: b'), RangeError);
  });

  test('types', () => {
    expectTypeOf(new web.HTTPFound('/x')).toMatchTypeOf<web.HTTPException>();
    expectTypeOf<web.HTTPNotFound['text']>().toEqualTypeOf<string | undefined>();
    // @ts-expect-error a redirect needs a location
    assert.throws(() => new web.HTTPFound());
  });
});

describe('the location of a redirect', () => {
  const cases: readonly [given: string, sent: string][] = [
    ['/x', '/x'],
    ['/a b?c=d e#f', '/a%20b?c=d+e#f'],
    ['/é/я', '/%C3%A9/%D1%8F'],
    ['/%C3%A9?x=%20', '/%C3%A9?x=%20'],
    ['/100%', '/100%25'],
    ['/a%2', '/a%252'],
    ['?page=2', '?page=2'],
    ['//other.example/x', '//other.example/x'],
    ['https://h.example:8443/p?q=1&r=2#top', 'https://h.example:8443/p?q=1&r=2#top'],
    ['https://[::1]:80/x y', 'https://[::1]:80/x%20y'],
    ['http://bücher.example/ü', 'http://xn--bcher-kva.example/%C3%BC'],
    ['/\\evil.example', '/%5Cevil.example'],
    ['/"<>`{}|^', '/%22%3C%3E%60%7B%7D%7C%5E'],
    ['/a#b#c', '/a#b%23c'],
    ['/\ud800x', '/%EF%BF%BDx'],
    ['/😀', '/%F0%9F%98%80'],
    ['mailto:a@b.example', 'mailto:a@b.example'],
  ];
  for (const [given, sent] of cases) {
    test(JSON.stringify(given), () => {
      assert.equal(quoteLocation(given), sent);
      assert.equal(quoteLocation(sent), sent, 'quoting twice changes nothing');
    });
  }
  for (const given of [
    '',
    '/a\r\nSet-Cookie: x=1',
    '/a\0',
    '/a\tb',
    '/a\x7f',
    'http://a b/',
    'http://[::1/x y',
  ]) {
    test(`${JSON.stringify(given)} is refused`, () => {
      assert.throws(() => new web.HTTPFound(given), { name: 'RangeError', code: 'AIO_LOCATION' });
    });
  }
  test('may be a URL', () => {
    assert.equal(new web.HTTPFound(new URL('http://a.example/b c')).location, 'http://a.example/b%20c');
  });
});
