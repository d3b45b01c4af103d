import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { type Frame, FrameWriter, WSMsgType } from '../../src/websocket/index.ts';
import { found, PLAIN_DEFLATE, parserFor, rawFrame } from './wire.ts';

function whole(frame: Frame | Promise<Frame>): Buffer {
  assert.ok(!(frame instanceof Promise));
  return Buffer.concat(Array.isArray(frame) ? frame : [frame]);
}

/** 20 bytes of noise a line: what zlib does not make much smaller. */
function noise(lines: number): string {
  return Array.from({ length: lines }, (_, index) => String(Math.imul(index, 2_654_435_761)).padEnd(20)).join(
    '',
  );
}

const server = new FrameWriter({ role: 'server', deflate: undefined });
const client = new FrameWriter({ role: 'client', deflate: undefined });

describe('frames of a server', () => {
  const texts = [
    '',
    'Hello',
    'é',
    'x'.repeat(64),
    'x'.repeat(65),
    '€'.repeat(40),
    '€'.repeat(42),
    'é'.repeat(63),
  ];
  for (const size of [125, 126, 8192, 8193, 65_535, 65_536])
    texts.push('y'.repeat(size), `${'y'.repeat(size - 2)}é`);
  for (const text of texts) {
    test(`${Buffer.byteLength(text)} bytes of ${text.slice(0, 1)}`, () => {
      assert.deepEqual(whole(server.frame(WSMsgType.TEXT, text)), rawFrame({ opcode: 1, payload: text }));
      const bytes = Buffer.from(text);
      assert.deepEqual(whole(server.frame(WSMsgType.BINARY, bytes)), rawFrame({ opcode: 2, payload: bytes }));
    });
  }

  test('a small one is one buffer, of a large one the payload is not copied', () => {
    assert.ok(server.frame(WSMsgType.BINARY, new Uint8Array(8192)) instanceof Uint8Array);
    const payload = new Uint8Array(8193);
    const frame = server.frame(WSMsgType.BINARY, payload);
    assert.ok(Array.isArray(frame) && frame.length === 2 && frame[1] === payload);
  });

  test('a lone surrogate becomes U+FFFD', () => {
    for (const text of ['\ud800', `${'x'.repeat(70)}\udc00`]) {
      const parser = parserFor('client');
      parser.feed(whole(server.frame(WSMsgType.TEXT, text)));
      assert.deepEqual(found(parser).length, 1);
      assert.equal(parser.error, undefined);
    }
  });
});

describe('frames of a client', () => {
  for (const payload of ['', 'Hello', 'é', 'x'.repeat(64), 'x'.repeat(200), 'é'.repeat(40_000)]) {
    test(`${Buffer.byteLength(payload)} bytes are masked, and what was given is not touched`, () => {
      for (const data of [payload, Buffer.from(payload)]) {
        const opcode = typeof data === 'string' ? 1 : 2;
        const before = Buffer.from(payload);
        const frame = whole(client.frame(opcode, data));
        const start = frame.length - before.length;
        const key = [...frame.subarray(start - 4, start)] as [number, number, number, number];
        assert.deepEqual(frame, rawFrame({ opcode, payload: before, key }));
        assert.deepEqual(Buffer.from(data as string), before);
      }
    });
  }

  test('with a key of its own each', () => {
    const keys = Array.from({ length: 100 }, () => whole(client.frame(1, '')).toString('hex'));
    assert.equal(new Set(keys).size, 100);
  });
});

describe('control frames', () => {
  test('pings and pongs', () => {
    assert.deepEqual(whole(server.frame(WSMsgType.PING, 'é')), rawFrame({ opcode: 9, payload: 'é' }));
    assert.deepEqual(
      whole(server.frame(WSMsgType.PONG, Buffer.alloc(125))),
      rawFrame({ opcode: 10, payload: Buffer.alloc(125) }),
    );
    assert.throws(() => server.frame(WSMsgType.PING, 'é'.repeat(63)), {
      code: 'AIO_WS_CONTROL_TOO_LONG',
      name: 'RangeError',
      message: 'a ping or pong carries at most 125 bytes, not 126',
    });
  });

  test('close', () => {
    assert.deepEqual(whole(server.close()), rawFrame({ opcode: 8 }));
    assert.deepEqual(whole(server.close(1000)), rawFrame({ opcode: 8, payload: Buffer.of(3, 232) }));
    assert.deepEqual(
      whole(server.close(4999, 'é')),
      rawFrame({ opcode: 8, payload: Buffer.of(19, 135, 195, 169) }),
    );
    assert.deepEqual(
      whole(server.close(1001, Buffer.from('x'))),
      rawFrame({ opcode: 8, payload: Buffer.of(3, 233, 120) }),
    );
    const longest = 'x'.repeat(123);
    assert.equal(whole(server.close(1001, longest)).length, 127);
    assert.throws(() => server.close(1001, `${longest}x`), { code: 'AIO_WS_CLOSE_REASON' });
    assert.throws(() => server.close(undefined, 'x'), { code: 'AIO_WS_CLOSE_REASON' });
    for (const code of [0, 1005, 1006, 1015, 2999, 5000, 1000.5]) {
      assert.throws(() => server.close(code), { code: 'AIO_WS_CLOSE_CODE', name: 'RangeError' });
    }
  });

  test('other opcodes cannot be sent', () => {
    for (const opcode of [0, 3, 8, 11, 0x100, -1]) {
      assert.throws(() => server.frame(opcode, ''), { code: 'AIO_WS_OPCODE', name: 'RangeError' });
    }
  });
});

describe('compression', () => {
  const text = 'the same again and again, '.repeat(100);

  function inflated(frame: Buffer): string {
    const start = (frame[1]! & 0x7f) === 126 ? 4 : 2;
    return inflateRawSync(
      Buffer.concat([frame.subarray(start), Buffer.of(0, 0, 255, 255, 1, 0, 0, 255, 255)]),
    ).toString();
  }

  test('from the threshold on, or as it is asked for', () => {
    const writer = new FrameWriter({ role: 'server', deflate: PLAIN_DEFLATE, threshold: 100 });
    const rsv1 = (data: Uint8Array | string, compress?: boolean): boolean =>
      (whole(writer.frame(1, data, compress))[0]! & 0x40) !== 0;
    assert.equal(rsv1(text.slice(0, 99)), false);
    assert.equal(rsv1(text.slice(0, 100)), true);
    assert.equal(rsv1(Buffer.from(text).subarray(0, 99)), false);
    assert.equal(rsv1(Buffer.from(text).subarray(0, 100)), true);
    assert.equal(rsv1(text, false), false);
    assert.equal(rsv1(text.slice(0, 99), true), true);
    assert.equal(rsv1('', true), false);
  });

  test('what would not become smaller goes out as it is', () => {
    const writer = new FrameWriter({ role: 'server', deflate: PLAIN_DEFLATE });
    assert.deepEqual(whole(writer.frame(1, 'abc', true)), rawFrame({ opcode: 1, payload: 'abc' }));
  });

  test('the data are those of RFC 7692 §7.2.1, without the last four octets', () => {
    const writer = new FrameWriter({ role: 'server', deflate: PLAIN_DEFLATE });
    const frame = whole(writer.frame(1, text));
    assert.equal(frame[0], 0xc1);
    assert.ok(frame.length < 100);
    assert.equal(inflated(frame), text);
  });

  test('without an agreement nothing is compressed', () => {
    assert.deepEqual(whole(server.frame(1, text, true)), rawFrame({ opcode: 1, payload: text }));
  });

  test('without context takeover equal messages have equal frames, with it later ones are smaller', () => {
    const sizes = (takeover: boolean): number[] => {
      const deflate = { ...PLAIN_DEFLATE, serverNoContextTakeover: !takeover };
      const writer = new FrameWriter({ role: 'server', deflate });
      return Array.from({ length: 3 }, () => whole(writer.frame(1, noise(60))).length);
    };
    const [first, ...others] = sizes(false);
    assert.deepEqual(others, [first, first]);
    const [before, after, last] = sizes(true);
    assert.equal(before, first);
    assert.ok(after! < before! / 10 && last! < before! / 10);
  });

  test('a level is used', () => {
    const size = (level: number): number =>
      whole(new FrameWriter({ role: 'server', deflate: PLAIN_DEFLATE, level }).frame(1, noise(200))).length;
    assert.ok(size(9) < size(1));
  });
});

describe('a large message is compressed by a thread', () => {
  const large = noise(5000);

  test('messages and the close frame go out in the order of the calls, pings at once', async () => {
    const writer = new FrameWriter({ role: 'server', deflate: PLAIN_DEFLATE });
    const parser = parserFor('client', { deflate: PLAIN_DEFLATE, maxMsgSize: 0 });
    const order: string[] = [];
    const write = (name: string, frame: Frame | Promise<Frame>): Promise<void> | undefined => {
      if (frame instanceof Promise) return frame.then((bytes) => void write(name, bytes));
      order.push(name);
      return undefined;
    };
    const waits = [
      write('large', writer.frame(1, large)),
      write('small', writer.frame(1, 'small')),
      write('large again', writer.frame(2, Buffer.from(large))),
      write('ping', writer.frame(9, '')),
      write('close', writer.close(1000)),
    ];
    assert.deepEqual(order, ['ping']);
    await Promise.all(waits);
    assert.deepEqual(order, ['ping', 'large', 'small', 'large again', 'close']);
    assert.equal(parser.error, undefined);
  });

  test('afterwards frames come at once again', async () => {
    const writer = new FrameWriter({ role: 'server', deflate: PLAIN_DEFLATE });
    await writer.frame(1, large);
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(writer.frame(1, 'small') instanceof Uint8Array);
  });

  test('what is asked for in the very continuation still stands behind it', async () => {
    const writer = new FrameWriter({ role: 'server', deflate: PLAIN_DEFLATE });
    const order: number[] = [];
    const first = writer.frame(1, large) as Promise<Frame>;
    const done: Promise<unknown>[] = [];
    done.push(first.then(() => order.push(1)));
    done.push((writer.frame(1, 'a') as Promise<Frame>).then(() => order.push(2)));
    await first;
    const third = writer.frame(1, 'b');
    done.push(Promise.resolve(third).then(() => order.push(3)));
    await Promise.all(done);
    assert.deepEqual(order, [1, 2, 3]);
  });
});
