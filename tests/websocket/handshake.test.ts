import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  acceptOf,
  checkProtocol,
  checkRequest,
  checkUpgradeAnswer,
  chooseProtocol,
  makeKey,
  type RequestFields,
} from '../../src/websocket/index.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

test('the example of RFC 6455 §1.3', () => {
  assert.equal(acceptOf(KEY), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});

test('a key is 16 bytes in base64, another one each time', () => {
  const keys = Array.from({ length: 50 }, makeKey);
  assert.equal(new Set(keys).size, 50);
  for (const key of keys) {
    assert.equal(Buffer.from(key, 'base64').length, 16);
    assert.equal(
      checkRequest({ upgrade: 'websocket', connection: 'upgrade', version: '13', key }),
      undefined,
    );
  }
});

describe('the request', () => {
  const good: RequestFields = { upgrade: 'websocket', connection: 'Upgrade', version: '13', key: KEY };
  const upgradeText = (value: string): string =>
    `No WebSocket UPGRADE hdr: ${value}\n Can "Upgrade" only to "WebSocket".`;
  const cases: readonly (readonly [Partial<RequestFields>, string | undefined])[] = [
    [{}, undefined],
    [{ upgrade: 'WebSocket', connection: 'keep-alive, upgrade' }, undefined],
    [{ upgrade: 'h2c, websocket' }, undefined],
    [{ version: '8' }, undefined],
    [{ version: '7' }, undefined],
    [{ upgrade: undefined }, upgradeText('None')],
    [{ upgrade: 'h2c' }, upgradeText('h2c')],
    [{ connection: undefined }, 'No CONNECTION upgrade hdr: None'],
    [{ connection: 'keep-alive, notupgrade' }, 'No CONNECTION upgrade hdr: keep-alive, notupgrade'],
    [{ version: undefined }, 'Unsupported version: '],
    [{ version: '1' }, 'Unsupported version: 1'],
    [{ version: '013' }, 'Unsupported version: 013'],
    [{ key: undefined }, 'Handshake error: None'],
    [{ key: 'abc' }, "Handshake error: 'abc'"],
    [{ key: '' }, "Handshake error: ''"],
    [{ key: Buffer.alloc(15).toString('base64') }, "Handshake error: 'AAAAAAAAAAAAAAAAAAAA'"],
    [{ key: Buffer.alloc(17).toString('base64') }, "Handshake error: 'AAAAAAAAAAAAAAAAAAAAAAA='"],
  ];
  for (const [change, text] of cases) {
    test(JSON.stringify(change), () => assert.equal(checkRequest({ ...good, ...change }), text));
  }
});

describe('the answer', () => {
  const good = { status: 101, upgrade: 'websocket', connection: 'upgrade', accept: acceptOf(KEY) };
  const cases: readonly (readonly [
    Partial<Record<keyof typeof good, string | number | undefined>>,
    string | undefined,
  ])[] = [
    [{}, undefined],
    [{ upgrade: 'WebSocket', connection: 'x, Upgrade' }, undefined],
    [{ status: 200 }, 'Invalid response status'],
    [{ upgrade: undefined }, 'Invalid upgrade header'],
    [{ upgrade: 'h2c' }, 'Invalid upgrade header'],
    [{ connection: undefined }, 'Invalid connection header'],
    [{ connection: 'close' }, 'Invalid connection header'],
    [{ accept: undefined }, 'Invalid challenge response'],
    [{ accept: KEY }, 'Invalid challenge response'],
    [{ accept: acceptOf(KEY).toLowerCase() }, 'Invalid challenge response'],
  ];
  for (const [change, message] of cases) {
    test(JSON.stringify(change), () =>
      assert.equal(checkUpgradeAnswer({ ...good, ...change } as typeof good, KEY), message),
    );
  }
});

test("a server chooses the first of the client's list that it speaks", () => {
  assert.equal(chooseProtocol(undefined, ['chat']), undefined);
  assert.equal(chooseProtocol('chat', []), undefined);
  assert.equal(chooseProtocol('soap, chat,superchat', ['superchat', 'chat']), 'chat');
  assert.equal(chooseProtocol('soap', ['chat']), undefined);
  assert.equal(chooseProtocol('Chat', ['chat']), undefined);
});

test('a client takes what it asked for', () => {
  assert.equal(checkProtocol(undefined, ['chat']), undefined);
  assert.equal(checkProtocol('chat', ['soap', 'chat']), 'chat');
  assert.throws(() => checkProtocol('other', ['soap', 'chat']), {
    closeCode: 1002,
    message: 'the server chose the protocol "other"; asked for were "soap", "chat"',
  });
  assert.throws(() => checkProtocol('chat', []), /asked for were none/);
});
