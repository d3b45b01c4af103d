import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import {
  binaryMessage,
  CLOSED_MESSAGE,
  CLOSING_MESSAGE,
  closeMessage,
  errorMessage,
  pingMessage,
  pongMessage,
  textMessage,
  type WSMessage,
  WSMsgType,
} from '../../src/websocket/index.ts';

test('type, data and extra', () => {
  const bytes = Uint8Array.of(1);
  const error = new Error('x');
  const messages: readonly (readonly [WSMessage, number, unknown, unknown])[] = [
    [textMessage('a'), 1, 'a', undefined],
    [binaryMessage(bytes), 2, bytes, undefined],
    [closeMessage(1000, 'bye'), 8, 1000, 'bye'],
    [pingMessage(bytes), 9, bytes, undefined],
    [pongMessage(bytes), 10, bytes, undefined],
    [CLOSING_MESSAGE, 0x100, undefined, undefined],
    [CLOSED_MESSAGE, 0x101, undefined, undefined],
    [errorMessage(error), 0x102, error, undefined],
  ];
  for (const [message, type, data, extra] of messages) {
    assert.deepEqual([message.type, message.data, message.extra], [type, data, extra]);
    assert.deepEqual(Object.keys(message), ['type', 'data', 'extra']);
  }
});

test('json() of texts and bytes', () => {
  assert.deepEqual(textMessage('{"a": "é"}').json(), { a: 'é' });
  assert.deepEqual(textMessage(Buffer.from('[1]')).json(), [1]);
  assert.deepEqual(binaryMessage(Buffer.from('{"a": "é"}')).json<{ a: string }>().a, 'é');
  assert.throws(() => textMessage('{').json(), SyntaxError);
});

test('the type of data follows from the type of the message', () => {
  const check = (message: WSMessage): void => {
    if (message.type === WSMsgType.TEXT) {
      expectTypeOf(message.data).toEqualTypeOf<string>();
      expectTypeOf(message.json()).toEqualTypeOf<unknown>();
      expectTypeOf(message.json<number>()).toEqualTypeOf<number>();
    } else if (message.type === WSMsgType.CLOSE) {
      expectTypeOf(message.data).toEqualTypeOf<number>();
      expectTypeOf(message.extra).toEqualTypeOf<string>();
    } else if (message.type === WSMsgType.ERROR) expectTypeOf(message.data).toEqualTypeOf<Error>();
    else if (message.type === WSMsgType.CLOSED) expectTypeOf(message.data).toEqualTypeOf<undefined>();
  };
  check(CLOSED_MESSAGE);
  const undecoded = (message: WSMessage<Uint8Array>): void => {
    if (message.type === WSMsgType.TEXT) expectTypeOf(message.data).toEqualTypeOf<Uint8Array>();
  };
  undecoded(CLOSED_MESSAGE);
});
