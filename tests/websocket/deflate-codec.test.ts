import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Deflater, Inflater } from '../../src/websocket/deflate-codec.ts';

/** Does not become smaller, and is another for each seed. */
function noise(length: number, seed: number): Buffer {
  let state = Math.imul(seed + 1, 2_654_435_761);
  return Buffer.from(
    Array.from({ length }, () => {
      state = Math.imul(state, 1_664_525) + 1_013_904_223;
      return state >>> 24;
    }),
  );
}

/** What comes of data of each size, one after the other, on one connection. */
async function there(options: { windowBits: number; contextTakeover: boolean }): Promise<void> {
  const deflater = new Deflater(options);
  const inflater = new Inflater(options);
  const sizes = [0, 1, 249, 250, 251, 511, 512, 1000, 16_383, 16_384, 40_000, 131_072, 131_073, 500, 0, 3];
  for (const [index, size] of sizes.entries()) {
    for (const data of [noise(size, index), Buffer.alloc(size, `again and again ${index % 3}`)]) {
      const compressed = await deflater.deflate(data);
      const inflated = await inflater.inflate(compressed, 131_073);
      assert.ok(inflated.equals(data), `${size} bytes`);
    }
  }
}

describe('what is deflated is inflated', () => {
  for (const windowBits of [8, 9, 10, 12, 15]) {
    for (const contextTakeover of [false, true]) {
      test(`windows of ${windowBits} bits, ${contextTakeover ? 'with' : 'without'} context takeover`, async () => {
        await there({ windowBits, contextTakeover });
      });
    }
  }
});

describe('the window', () => {
  test('reaches over several messages, and not beyond its size', async () => {
    const options = { windowBits: 10, contextTakeover: true };
    const deflater = new Deflater(options);
    const first = noise(300, 1);
    const size = async (data: Uint8Array): Promise<number> => (await deflater.deflate(data)).byteLength;
    await size(first);
    await size(noise(200, 7));
    assert.ok((await size(first)) < 30, 'still in the window');
    await size(noise(1024, 9));
    assert.ok((await size(first)) > 250, 'pushed out of it');
  });

  test('is a copy: what the caller does with its data later changes nothing', async () => {
    const options = { windowBits: 15, contextTakeover: true };
    const deflater = new Deflater(options);
    const inflater = new Inflater(options);
    const data = noise(500, 1);
    const first = await inflater.inflate(await deflater.deflate(data), 1000);
    first.fill(0);
    const again = Buffer.from(data);
    data.fill(0);
    assert.deepEqual(await inflater.inflate(await deflater.deflate(again), 1000), again);
  });

  test('of 8 bits is kept to, though zlib has none: the other side is one of 8 bits too', async () => {
    const data = Buffer.concat([noise(240, 1), noise(240, 1), noise(300, 5), noise(240, 1)]);
    const compressed = await new Deflater({ windowBits: 8, contextTakeover: false }).deflate(data);
    const inflater = new Inflater({ windowBits: 8, contextTakeover: false });
    assert.deepEqual(await inflater.inflate(compressed, 2000), data);
  });
});

describe('the limit', () => {
  const deflater = new Deflater({ windowBits: 15, contextTakeover: false });
  const inflater = new Inflater({ windowBits: 15, contextTakeover: false });

  for (const size of [10, 131_072, 1_000_000]) {
    test(`of ${size} bytes`, async () => {
      const just = await deflater.deflate(Buffer.alloc(size));
      const more = await deflater.deflate(Buffer.alloc(size + 1));
      assert.equal((await inflater.inflate(just, size)).length, size);
      await assert.rejects(async () => inflater.inflate(more, size), {
        closeCode: 1009,
        message: `a compressed message inflates to more than the limit of ${size} bytes`,
      });
    });
  }
});

test('what cannot be inflated says why', () => {
  const inflater = new Inflater({ windowBits: 15, contextTakeover: false });
  assert.throws(() => inflater.inflate(Buffer.of(0xff, 0xff), 100), {
    closeCode: 1007,
    code: 'AIO_WS_INVALID_DATA',
    message: /^a compressed message cannot be inflated: /,
  });
});
