import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayBeReceived, mayBeSent, WebSocketError, WSCloseCode } from '../../src/websocket/index.ts';

test('what may be sent (RFC 6455 §7.4)', () => {
  const good = [1000, 1001, 1002, 1003, 1007, 1010, 1011, 1012, 1014, 3000, 4999];
  const bad = [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_536, 1000.5, Number.NaN, Infinity];
  for (const code of good) assert.ok(mayBeSent(code) && mayBeReceived(code), `${code}`);
  for (const code of bad) assert.ok(!mayBeSent(code), `${code}`);
});

test('every code with a name but 1006 may be sent', () => {
  for (const code of Object.values(WSCloseCode)) {
    assert.equal(mayBeSent(code), code !== WSCloseCode.ABNORMAL_CLOSURE);
  }
});

test('an error has the close code and a stable name', () => {
  for (const [closeCode, code] of [
    [1002, 'AIO_WS_PROTOCOL'],
    [1007, 'AIO_WS_INVALID_DATA'],
    [1008, 'AIO_WS_TOO_MANY_FRAGMENTS'],
    [1009, 'AIO_WS_MESSAGE_TOO_BIG'],
  ] as const) {
    const error = new WebSocketError(closeCode, 'why');
    assert.deepEqual(
      [error.closeCode, error.code, error.message, error.name],
      [closeCode, code, 'why', 'WebSocketError'],
    );
  }
});
