import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import { ERROR, INFLATING, MESSAGE, NEED_MORE, WSMsgType } from '../../src/websocket/index.ts';
import {
  found,
  foundAtLast,
  foundIn,
  framesFor,
  KEY,
  PLAIN_DEFLATE,
  parserFor,
  rawFrame,
  shownMessage,
  splits,
} from './wire.ts';

/** The data of a compressed message (RFC 7692 §7.2.1). */
function deflated(data: Uint8Array | string): Buffer {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

function bytesOf({ message }: ReturnType<typeof parserFor>): Uint8Array {
  assert.equal(message?.type, WSMsgType.BINARY);
  return message.data;
}

describe('the examples of RFC 6455 §5.7', () => {
  const cases: readonly (readonly ['server' | 'client', string, readonly string[]])[] = [
    ['client', '810548656c6c6f', ['text Hello']],
    ['server', '818537fa213d7f9f4d5158', ['text Hello']],
    ['client', '010348656c80026c6f', ['text Hello']],
    ['client', '890548656c6c6f', ['ping 48656c6c6f']],
    ['server', '8a8537fa213d7f9f4d5158', ['pong 48656c6c6f']],
  ];
  for (const [role, hex, expected] of cases) {
    test(hex, () => {
      for (const pieces of splits(Buffer.from(hex, 'hex'))) {
        assert.deepEqual(foundIn(role, pieces), expected);
      }
    });
  }
});

describe('masking by role (§5.1)', () => {
  for (const opcode of [1, 2, 8, 9, 10]) {
    test(`opcode ${opcode}`, () => {
      assert.deepEqual(foundIn('server', [rawFrame({ opcode })]), ['error 1002']);
      assert.deepEqual(foundIn('client', [rawFrame({ opcode, key: KEY })]), ['error 1002']);
    });
  }

  test('a wrong frame is refused at its second byte', () => {
    for (const [role, bytes] of [
      ['server', [0x81, 0x05]],
      ['client', [0x81, 0x85]],
      ['server', [0xc1, 0x80]],
      ['client', [0x83, 0x00]],
      ['client', [0x89, 0x7e]],
    ] as const) {
      assert.deepEqual(foundIn(role, [Uint8Array.of(bytes[0]), Uint8Array.of(bytes[1])]), ['error 1002']);
    }
  });
});

describe('lengths of 64 bits', () => {
  const head = (length: string): Buffer => Buffer.from(`827f${length}`, 'hex');
  test('the most significant bit must be 0', () => {
    for (const length of ['8000000000000000', 'ffffffffffffffff']) {
      for (const pieces of splits(head(length))) assert.deepEqual(foundIn('client', pieces), ['error 1002']);
    }
  });
  test('more than any buffer can hold is too big, with or without a limit', () => {
    for (const length of ['7fffffffffffffff', '0100000000000000', '0020000000000001']) {
      for (const maxMsgSize of [0, 100]) {
        assert.deepEqual(foundIn('client', [head(length)], { maxMsgSize }), ['error 1009']);
      }
    }
  });
});

describe('maxMsgSize', () => {
  test('a message of just as much passes, one byte more does not, and that is known from the head', () => {
    assert.deepEqual(foundIn('client', [rawFrame({ opcode: 1, payload: '12345' })], { maxMsgSize: 5 }), [
      'text 12345',
    ]);
    const head = rawFrame({ opcode: 1, payload: '123456' }).subarray(0, 2);
    assert.deepEqual(foundIn('client', [head], { maxMsgSize: 5 }), ['error 1009']);
    const parser = parserFor('client', { maxMsgSize: 5 });
    parser.feed(rawFrame({ opcode: 1, payload: '123456' }));
    assert.equal(parser.next(), ERROR);
    assert.equal(parser.error?.code, 'AIO_WS_MESSAGE_TOO_BIG');
    assert.equal(parser.error.message, 'a message of 6 bytes exceeds the limit of 5');
  });

  test('fragments count together', () => {
    const frames = [
      { opcode: 2, payload: '123', fin: false },
      { opcode: 0, payload: '45', fin: false },
      { opcode: 9, payload: 'not of the message' },
      { opcode: 0, payload: '6' },
    ];
    const bytes = framesFor('server', frames);
    const ping = `ping ${Buffer.from('not of the message').toString('hex')}`;
    assert.deepEqual(foundIn('server', [Buffer.from(bytes)], { maxMsgSize: 6 }), [
      ping,
      'binary 313233343536',
    ]);
    assert.deepEqual(foundIn('server', [Buffer.from(bytes)], { maxMsgSize: 5 }), [ping, 'error 1009']);
  });

  test('counts what is inflated', async () => {
    const options = { deflate: PLAIN_DEFLATE, maxMsgSize: 1000 };
    const frame = (size: number): Buffer =>
      rawFrame({ opcode: 1, rsv: 4, payload: deflated('x'.repeat(size)) });
    assert.deepEqual(
      (await foundAtLast('client', [frame(1000)], options)).map((message) => shownMessage(message)),
      [`text ${'x'.repeat(32)}… 1000`],
    );
    await assert.rejects(foundAtLast('client', [frame(1001)], options), { closeCode: 1009 });
  });

  test('a bomb is not inflated beyond it', async () => {
    const bomb = rawFrame({ opcode: 2, rsv: 4, payload: deflated(Buffer.alloc(50_000_000)) });
    await assert.rejects(foundAtLast('client', [bomb], { deflate: PLAIN_DEFLATE, maxMsgSize: 4_194_304 }), {
      closeCode: 1009,
      message: 'a compressed message inflates to more than the limit of 4194304 bytes',
    });
  });

  test('what does not compress may be a little longer than the limit while it is compressed', async () => {
    const noise = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * index * 7919) >>> 5));
    const stored = deflateRawSync(noise, { level: 0, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    assert.ok(stored.length > noise.length);
    const [message] = await foundAtLast('client', [rawFrame({ opcode: 2, rsv: 4, payload: stored })], {
      deflate: PLAIN_DEFLATE,
      maxMsgSize: 3000,
    });
    assert.deepEqual(message?.data, noise);
  });
});

describe('the number of fragments is bounded', () => {
  test('empty ones', () => {
    const empty = rawFrame({ opcode: 0, fin: false });
    const first = rawFrame({ opcode: 1, fin: false });
    const last = rawFrame({ opcode: 0 });
    const message = (count: number): Buffer =>
      Buffer.concat([first, ...Array.from({ length: count }, () => empty), last]);
    assert.deepEqual(foundIn('client', [message(1023)]), ['text ']);
    assert.deepEqual(foundIn('client', [message(1024)]), ['error 1008']);
    // The next message counts anew.
    assert.deepEqual(foundIn('client', [message(1023), message(1023)]), ['text ', 'text ']);
  });

  test('all', () => {
    const byte = rawFrame({ opcode: 0, payload: 'x', fin: false });
    const bytes = Buffer.concat([
      rawFrame({ opcode: 2, payload: 'x', fin: false }),
      ...Array.from({ length: 131_071 }, () => byte),
    ]);
    const parser = parserFor('client');
    parser.feed(Buffer.from(bytes));
    assert.equal(parser.next(), NEED_MORE);
    parser.feed(Buffer.from(byte));
    assert.equal(parser.next(), ERROR);
    assert.equal(parser.error?.code, 'AIO_WS_TOO_MANY_FRAGMENTS');
  });
});

describe('what is fed', () => {
  test('may be any view of bytes', () => {
    const frame = rawFrame({ opcode: 1, payload: 'hello', key: KEY });
    const within = new Uint8Array(frame.length + 3);
    within.set(frame, 3);
    assert.deepEqual(foundIn('server', [within.subarray(3)]), ['text hello']);
  });

  test('in many pieces before the first question', () => {
    const parser = parserFor('server');
    const bytes = framesFor('server', [
      { opcode: 1, payload: 'one' },
      { opcode: 2, payload: 'two' },
      { opcode: 8 },
    ]);
    for (const byte of bytes) parser.feed(Uint8Array.of(byte));
    parser.feed(new Uint8Array(0));
    assert.deepEqual(found(parser), ['text one', 'binary 74776f', 'close 0']);
    parser.feed(rawFrame({ opcode: 9, key: KEY }));
    assert.deepEqual(found(parser), []);
  });

  test('a large payload in one piece is not copied, a small one does not hold on to its chunk', () => {
    const parser = parserFor('client');
    const frames = framesFor('client', [
      { opcode: 2, payload: Buffer.alloc(2000, 1) },
      { opcode: 2, payload: Buffer.alloc(100, 2) },
    ]);
    const chunk = Buffer.from(new Uint8Array(frames).buffer);
    parser.feed(chunk);
    assert.equal(parser.next(), MESSAGE);
    assert.equal(bytesOf(parser).buffer, chunk.buffer);
    assert.equal(parser.next(), MESSAGE);
    assert.notEqual(bytesOf(parser).buffer, chunk.buffer);
  });

  test('after an error nothing is looked at', () => {
    const parser = parserFor('client');
    parser.feed(rawFrame({ opcode: 3 }));
    assert.equal(parser.next(), ERROR);
    parser.feed(rawFrame({ opcode: 9 }));
    assert.equal(parser.next(), ERROR);
    assert.equal(parser.message, undefined);
  });

  test('a payload of which byte after byte comes costs linear time', () => {
    // With quadratic work this would take minutes.
    const size = 1_000_000;
    const bytes = rawFrame({ opcode: 2, payload: Buffer.alloc(size, 7), key: KEY });
    const parser = parserFor('server');
    let state = parser.next();
    for (const byte of bytes) {
      parser.feed(Uint8Array.of(byte));
      state = parser.next();
    }
    assert.equal(state, MESSAGE);
    assert.deepEqual(parser.message?.data, Buffer.alloc(size, 7));
  });

  test('what a peer only announces takes no memory', () => {
    const parser = parserFor('client', { maxMsgSize: 1_000_000_000 });
    const before = process.memoryUsage().arrayBuffers;
    parser.feed(Buffer.from('827f000000003b9aca0001', 'hex'));
    assert.equal(parser.next(), NEED_MORE);
    assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
  });
});

test('decodeText: false gives texts as bytes', () => {
  const parser = parserFor('client', { decodeText: false });
  parser.feed(rawFrame({ opcode: 1, payload: 'é' }));
  parser.feed(rawFrame({ opcode: 1, payload: 'plain' }));
  for (const text of ['é', 'plain']) {
    assert.equal(parser.next(), MESSAGE);
    assert.equal(parser.message?.type, WSMsgType.TEXT);
    assert.deepEqual(parser.message.data, Buffer.from(text));
  }
});

describe('a large compressed message is inflated by a thread', () => {
  const text = Array.from({ length: 60_000 }, (_, index) => Math.imul(index, 2_654_435_761) >>> 7).join(' ');
  const payload = deflated(text);
  const frames = framesFor('server', [
    { opcode: 1, rsv: 4, payload },
    { opcode: 9, payload: 'x' },
  ]);

  test('next() says so until ready() is called, and what stands behind waits', async () => {
    await new Promise<void>((resolve, reject) => {
      const parser = parserFor('server', {
        deflate: PLAIN_DEFLATE,
        ready: () => {
          try {
            assert.equal(parser.next(), MESSAGE);
            assert.equal(parser.message?.data, text);
            assert.deepEqual(found(parser), ['ping 78', 'ping 79']);
            resolve();
          } catch (error) {
            reject(error);
          }
        },
      });
      parser.feed(Buffer.from(frames));
      assert.equal(parser.next(), INFLATING);
      assert.equal(parser.next(), INFLATING);
      parser.feed(rawFrame({ opcode: 9, payload: 'y', key: KEY }));
      assert.equal(parser.next(), INFLATING);
      assert.equal(parser.message, undefined);
    });
  });

  test('a small message that inflates to much as well', async () => {
    const bytes = rawFrame({ opcode: 2, rsv: 4, payload: deflated(Buffer.alloc(1_000_000)) });
    const parser = parserFor('client', { deflate: PLAIN_DEFLATE });
    parser.feed(Buffer.from(bytes));
    assert.equal(parser.next(), INFLATING);
    const [message] = await foundAtLast('client', [bytes], { deflate: PLAIN_DEFLATE });
    assert.deepEqual(message?.data, Buffer.alloc(1_000_000));
  });

  test('data that cannot be inflated are an error', async () => {
    const broken = payload.subarray(0, payload.length - 1000);
    assert.ok(broken.length > 16_384);
    await assert.rejects(
      foundAtLast('client', [rawFrame({ opcode: 1, rsv: 4, payload: broken })], { deflate: PLAIN_DEFLATE }),
      { closeCode: 1007, code: 'AIO_WS_INVALID_DATA' },
    );
  });
});
