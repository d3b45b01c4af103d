import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { TimeoutError } from '../../src/asyncio/index.ts';
import { ConnectionKey } from '../../src/client/connection-key.ts';
import * as errors from '../../src/client/errors.ts';
import { CIMultiDict } from '../../src/message/index.ts';

const key = new ConnectionKey({ host: 'a.test', port: 443, secure: true });
const url = new URL('http://user:secret@a.test/p?q=1');
const info = { url, realUrl: url, method: 'GET', headers: new CIMultiDict() };
const system = Object.assign(new Error('connect ECONNREFUSED 1.2.3.4:443'), { code: 'ECONNREFUSED' });

/** One of each class, with its parents as aiohttp has them. */
const table: readonly (readonly [error: Error, parents: readonly (new (...args: never[]) => unknown)[]])[] = [
  [new errors.ClientError('x'), []],
  [new errors.ClientResponseError(info, []), []],
  [new errors.ContentTypeError(info, []), [errors.ClientResponseError]],
  [new errors.WSServerHandshakeError(info, []), [errors.ClientResponseError]],
  [new errors.ClientHttpProxyError(info, []), [errors.ClientResponseError]],
  [new errors.TooManyRedirects(info, []), [errors.ClientResponseError]],
  [new errors.ClientConnectionError('x'), []],
  [new errors.ClientConnectionResetError('x'), [errors.ClientConnectionError]],
  [new errors.ClientOSError(system), [errors.ClientConnectionError]],
  [new errors.ClientConnectorError(key, system), [errors.ClientOSError, errors.ClientConnectionError]],
  [new errors.ClientConnectorDNSError(key, system), [errors.ClientConnectorError, errors.ClientOSError]],
  [new errors.ClientProxyConnectionError(key, system), [errors.ClientConnectorError]],
  [new errors.BlockedAddressError(key, system), [errors.ClientConnectorError]],
  [new errors.UnixClientConnectorError('/s', key, system), [errors.ClientConnectorError]],
  [new errors.ClientSSLError(key, system), [errors.ClientConnectorError]],
  [new errors.ClientConnectorSSLError(key, system), [errors.ClientSSLError]],
  [new errors.ClientConnectorCertificateError(key, system), [errors.ClientSSLError]],
  [new errors.ServerConnectionError('x'), [errors.ClientConnectionError]],
  [new errors.ServerDisconnectedError(), [errors.ServerConnectionError]],
  [
    new errors.ServerFingerprintMismatch(Buffer.alloc(32), Buffer.alloc(32), 'a', 1),
    [errors.ServerConnectionError],
  ],
  [
    new errors.ServerTimeoutError('x'),
    [errors.ServerConnectionError, errors.ClientConnectionError, TimeoutError],
  ],
  [
    new errors.ConnectionTimeoutError('x', 'connect'),
    [errors.ServerTimeoutError, errors.ServerConnectionError, TimeoutError],
  ],
  [new errors.SocketTimeoutError(), [errors.ServerTimeoutError, errors.ServerConnectionError, TimeoutError]],
  [new errors.ClientPayloadError('x'), []],
  [new errors.InvalidURL('x'), [RangeError]],
  [new errors.InvalidUrlClientError('x'), [errors.InvalidURL, RangeError]],
  [new errors.RedirectClientError('x'), []],
  [new errors.NonHttpUrlClientError('ftp://x'), []],
  [
    new errors.InvalidUrlRedirectClientError('x'),
    [errors.InvalidUrlClientError, errors.InvalidURL, errors.RedirectClientError, RangeError],
  ],
  [
    new errors.NonHttpUrlRedirectClientError('ftp://x'),
    [errors.NonHttpUrlClientError, errors.RedirectClientError],
  ],
];

describe("the client's errors", () => {
  for (const [error, parents] of table) {
    test(`${error.constructor.name} is what it is in aiohttp`, () => {
      assert.equal(error.name, error.constructor.name);
      assert.ok(error instanceof Error);
      assert.ok(error instanceof errors.ClientError);
      for (const parent of parents) assert.ok(error instanceof parent, parent.name);
      assert.match((error as errors.ClientError).code, /^AIO_[A-Z_]+$/);
      assert.doesNotMatch(`${error.message} ${error.stack}`, /secret/);
    });
  }

  test('are not what they are not', () => {
    const own: readonly (new (...args: never[]) => Error)[] = Object.values(errors);
    for (const [error, parents] of table) {
      for (const other of own) {
        const isChild =
          other === errors.ClientError ||
          parents.some((parent) => parent === other || parent.prototype instanceof other) ||
          Object.prototype.isPrototypeOf.call(other.prototype, error) ||
          (error instanceof errors.ServerTimeoutError && other === errors.ClientConnectionError);
        assert.equal(error instanceof other, isChild, `${error.name} instanceof ${other.name}`);
      }
    }
    for (const value of [undefined, null, 5, 'x', {}, new Error('x'), Object.create(null)]) {
      assert.equal((value as unknown) instanceof errors.ClientError, false);
    }
  });

  test('have a code of their own each', () => {
    const codes = table.map(([error]) => (error as errors.ClientError).code);
    assert.equal(new Set(codes).size, codes.length);
  });

  test("a user's own class is a child too", () => {
    class Mine extends errors.InvalidUrlRedirectClientError {}
    const mine = new Mine('x');
    assert.ok(
      mine instanceof Mine &&
        mine instanceof errors.RedirectClientError &&
        mine instanceof errors.ClientError,
    );
    assert.equal(new errors.InvalidUrlRedirectClientError('x') instanceof Mine, false);
  });

  test('messages say what aiohttp says, without credentials', () => {
    const response = new errors.ClientResponseError(info, [], { status: 404, message: 'Nope' });
    assert.equal(response.message, "404, message='Nope', url='http://a.test/p?q=1'");
    assert.deepEqual([response.status, response.reason], [404, 'Nope']);
    assert.equal(
      new errors.ClientConnectorError(key, system).message,
      'Cannot connect to host a.test:443 ssl:default [connect ECONNREFUSED 1.2.3.4:443]',
    );
    assert.equal(new errors.ServerDisconnectedError().message, 'Server disconnected');
    assert.equal(new errors.SocketTimeoutError().message, 'Timeout on reading data from socket');
    assert.equal(new errors.InvalidURL('//me:secret@x/y', 'why').message, '//x/y - why');
    assert.equal(new errors.InvalidURL('http://me@secret@x').url, 'http://x');
    const cause = new Error('cause');
    assert.equal(new errors.ClientPayloadError('x', { cause }).cause, cause);
  });

  test('narrow', () => {
    const error: unknown = new errors.ConnectionTimeoutError('x', 'poolWait');
    if (error instanceof errors.ConnectionTimeoutError) {
      expectTypeOf(error.phase).toEqualTypeOf<'poolWait' | 'connect' | 'sockConnect'>();
    }
    if (error instanceof errors.ClientResponseError) expectTypeOf(error.status).toEqualTypeOf<number>();
  });
});
