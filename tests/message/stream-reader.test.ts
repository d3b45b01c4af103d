import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import fc from 'fast-check';
import { createTask, isCancelled } from '../../src/asyncio/index.ts';
import type { StreamFlow } from '../../src/message/index.ts';
import { IncompleteReadError, LineTooLong, StreamBusyError, StreamReader } from '../../src/message/index.ts';

/** In memory of its own: pieces that lie side by side in Node's pool would be joined. */
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const text = (chunk: Uint8Array | undefined): string | undefined =>
  chunk && Buffer.from(chunk).toString('latin1');
const feed = (...chunks: string[]): StreamReader => {
  const reader = new StreamReader();
  for (const chunk of chunks) reader.feedData(bytes(chunk));
  return reader;
};
const finished = (...chunks: string[]): StreamReader => {
  const reader = feed(...chunks);
  reader.feedEof();
  return reader;
};
/** Lets everything that is ready run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Flow implements StreamFlow {
  readonly calls: string[] = [];
  onResume: (() => void) | undefined;
  pause(): void {
    this.calls.push('pause');
  }
  resume(): void {
    this.calls.push('resume');
    this.onResume?.();
  }
}

describe('StreamReader: reads', () => {
  test('what is here does not wait', async () => {
    const reader = finished('abc', 'def', 'ghi');
    assert.equal(text(await reader.read(2)), 'ab');
    assert.equal(text(await reader.readExactly(3)), 'cde');
    assert.equal(reader.atEof(), false);
    assert.equal(reader.isEof(), true);
    assert.equal(text(await reader.readAny()), 'fghi');
    assert.equal(reader.atEof(), true);
    assert.equal(await reader.readAny(), undefined);
    assert.equal(await reader.read(1), undefined);
    assert.equal(await reader.readChunk(), undefined);
    assert.equal(await reader.readLine(), undefined);
    assert.equal((await reader.read()).length, 0);
    assert.equal((await reader.readExactly(0)).length, 0);
    assert.equal(reader.totalBytes, 9);
  });

  test('reads wait for data and for the end', async () => {
    const reader = new StreamReader();
    const some = reader.read(10);
    await settle();
    reader.feedData(bytes('abc'));
    assert.equal(text(await some), 'abc');
    const exact = reader.readExactly(4);
    reader.feedData(bytes('de'));
    await settle();
    reader.feedData(bytes('fg'));
    assert.equal(text(await exact), 'defg');
    const all = reader.read();
    reader.feedData(bytes('h'));
    await settle();
    reader.feedData(bytes('i'));
    reader.feedEof();
    assert.equal(text(await all), 'hi');
  });

  test('read(n) of n bytes or less is one piece, not copied', async () => {
    const data = bytes('abcdef');
    const reader = StreamReader.from(data);
    const chunk = await reader.read(6);
    assert.equal(chunk, data);
    const part = await StreamReader.from(data).read(2);
    assert.equal(part?.buffer, data.buffer);
  });

  test('readExactly tells what came before the end', async () => {
    const reader = finished('abc');
    await assert.rejects(reader.readExactly(5), (error: unknown) => {
      assert.ok(error instanceof IncompleteReadError);
      assert.equal(text(error.partial), 'abc');
      assert.equal(error.expected, 5);
      assert.equal(error.code, 'AIO_INCOMPLETE_READ');
      return true;
    });
  });

  test('readAllNow only after the end', async () => {
    const reader = feed('ab', 'cd');
    assert.equal(reader.readAllNow(), undefined);
    reader.feedEof();
    assert.equal(text(reader.readAllNow()), 'abcd');
    assert.equal(reader.readAllNow()?.length, 0);
    assert.equal(StreamReader.from(new Uint8Array(0)).readAllNow()?.length, 0);
    const waiting = new StreamReader();
    const read = waiting.read();
    await settle();
    waiting.feedData(bytes('x'));
    waiting.feedEof();
    assert.equal(waiting.readAllNow(), undefined); // belongs to the read
    assert.equal(text(await read), 'x');
  });

  test('unreadData puts back in front, also into the middle of a chunk', async () => {
    const reader = feed('abcdef', 'x', 'y');
    assert.equal(text(await reader.read(3)), 'abc');
    reader.unreadData(bytes('BC'));
    reader.unreadData(bytes(''));
    reader.unreadData(bytes('A'));
    reader.feedData(bytes('z'));
    reader.feedEof();
    assert.equal(text(await reader.read()), 'ABCdefxyz');
  });

  test('unreadData after reading out of a block of small pieces', async () => {
    const reader = feed('a', 'b', 'c');
    assert.equal(text(await reader.read(2)), 'ab');
    reader.unreadData(bytes('B'));
    reader.feedData(bytes('d'));
    reader.feedEof();
    assert.equal(text(await reader.read()), 'Bcd');
  });

  test('wrong counts', async () => {
    const reader = finished('abc');
    for (const n of [-1, 1.5, Number.NaN]) {
      await assert.rejects(reader.read(n), { name: 'RangeError', code: 'AIO_BYTE_COUNT' });
      await assert.rejects(reader.readExactly(n), { name: 'RangeError', code: 'AIO_BYTE_COUNT' });
    }
    assert.throws(() => reader.iterChunked(0), { code: 'AIO_BYTE_COUNT' });
    await assert.rejects(reader.readUntil(''), { code: 'AIO_SEPARATOR' });
    assert.equal(text(await reader.read()), 'abc');
  });

  test('feeding after the end is the feeder’s bug', () => {
    assert.throws(() => finished('a').feedData(bytes('b')), { code: 'AIO_STREAM_ENDED' });
  });
});

describe('StreamReader: lines', () => {
  const document = 'a\r\nbb\n\nXYXYZ\nXYZlast';
  const lines = ['a\r\n', 'bb\n', '\n', 'XYXYZ\n', 'XYZlast'];
  const parts = ['a\r\nbb\n\nXYXYZ', '\nXYZ', 'last'];

  test('the same wherever the bytes are split', async () => {
    for (let i = 0; i <= document.length; i++) {
      for (let j = i; j <= document.length; j++) {
        const pieces = [document.slice(0, i), document.slice(i, j), document.slice(j)];
        const found: (string | undefined)[] = [];
        for await (const line of finished(...pieces).iterLines()) found.push(text(line));
        assert.deepEqual(found, lines);
        const reader = finished(...pieces);
        for (const part of parts) assert.equal(text(await reader.readUntil('XYZ')), part);
        assert.equal(await reader.readUntil('XYZ'), undefined);
      }
    }
  });

  test('the same byte by byte while a read waits', async () => {
    const reader = new StreamReader();
    const found: (string | undefined)[] = [];
    const reading = (async () => {
      for await (const line of reader.iterLines()) found.push(text(line));
    })();
    for (const char of document) {
      reader.feedData(bytes(char));
      await settle();
    }
    reader.feedEof();
    await reading;
    assert.deepEqual(found, lines);
  });

  test('readUntil finds what indexOf finds', async () => {
    const unit = fc.constantFrom('a', 'b');
    const separator = fc.string({ unit, minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit })), separator, async (chunks, separator) => {
        const reader = finished(...chunks);
        let rest = chunks.join('');
        while (rest !== '') {
          const index = rest.indexOf(separator);
          const end = index === -1 ? rest.length : index + separator.length;
          assert.equal(text(await reader.readUntil(separator)), rest.slice(0, end));
          rest = rest.slice(end);
        }
        assert.equal(await reader.readUntil(separator), undefined);
      }),
      { seed: 20, numRuns: 300 },
    );
  });

  test('a line that is too long is refused and stays', async () => {
    const reader = finished('abc\n', 'defgh\n');
    assert.equal(text(await reader.readLine({ maxLineLength: 4 })), 'abc\n');
    await assert.rejects(reader.readLine({ maxLineLength: 5 }), (error: unknown) => {
      assert.ok(error instanceof LineTooLong);
      assert.equal(error.limit, 5);
      return true;
    });
    assert.equal(text(await reader.readLine({ maxLineLength: 6 })), 'defgh\n');
  });

  test('by default a line may fill the buffer', async () => {
    const reader = new StreamReader(undefined, 8);
    reader.feedData(bytes('x'.repeat(16)));
    const line = reader.readLine();
    await settle();
    reader.feedData(bytes('\n'));
    await assert.rejects(line, { name: 'LineTooLong' });
    assert.equal(text(await reader.readUntil('\n', { maxSize: 17 })), `${'x'.repeat(16)}\n`);
  });

  test('a megabyte that comes in small pieces is looked at once', async () => {
    const reader = new StreamReader(undefined, 1_000_000);
    const line = reader.readUntil('\r\n\r\n');
    for (let i = 0; i < 100_000; i++) {
      reader.feedData(bytes('\r\n\rxxxxxxx'));
      if (i % 1000 === 0) await settle();
    }
    reader.feedEof();
    assert.equal((await line)?.length, 1_000_000);
  });
});

describe('StreamReader: flow', () => {
  test('pauses at twice the limit, resumes at the limit', async () => {
    const flow = new Flow();
    const reader = new StreamReader(flow, 10);
    reader.feedData(bytes('x'.repeat(19)));
    assert.deepEqual(flow.calls, []);
    reader.feedData(bytes('x'));
    reader.feedData(bytes('x'));
    assert.deepEqual(flow.calls, ['pause']);
    await reader.read(10);
    assert.deepEqual(flow.calls, ['pause']);
    await reader.read(1);
    assert.deepEqual(flow.calls, ['pause', 'resume']);
  });

  test('a read that needs more than fits is not stuck', async () => {
    for (const how of ['readExactly', 'read', 'readLine'] as const) {
      const flow = new Flow();
      const reader = new StreamReader(flow, 10);
      reader.feedData(bytes('x'.repeat(20)));
      assert.deepEqual(flow.calls, ['pause']);
      const read =
        how === 'read'
          ? reader.read()
          : how === 'readLine'
            ? reader.readLine({ maxLineLength: 99 })
            : reader.readExactly(50);
      assert.deepEqual(flow.calls, ['pause', 'resume']);
      reader.feedData(bytes('x'.repeat(29)));
      await settle();
      reader.feedData(bytes('\n'));
      reader.feedEof();
      assert.equal((await read)?.length, 50);
    }
  });

  test('resume may feed at once', async () => {
    const flow = new Flow();
    const reader = new StreamReader(flow, 10);
    flow.onResume = () => {
      for (let i = 0; i < 5; i++) reader.feedData(bytes('y'.repeat(20)));
      reader.feedEof();
    };
    reader.feedData(bytes('x'.repeat(20)));
    assert.equal((await reader.read()).length, 120);
    assert.equal(reader.atEof(), true);
  });

  test('a reader that is slower than its feeder holds a bounded amount', async () => {
    let paused = false;
    const reader: StreamReader = new StreamReader(
      { pause: () => (paused = true), resume: () => (paused = false) },
      1000,
    );
    let fed = 0;
    let most = 0;
    let read = 0;
    while (read < 100_000) {
      while (!paused && fed < 100_000) {
        reader.feedData(new Uint8Array(300));
        fed += 300;
        most = Math.max(most, fed - read);
      }
      read += (await reader.read(64))!.length;
    }
    assert.ok(most < 2000 + 300 && fed >= 100_000);
  });

  test('a million pieces of one byte take about their own size (CVE-2025-69229)', async () => {
    const reader = new StreamReader(undefined, 1_000_000);
    const socketBuffer = new Uint8Array(65_536);
    for (let i = 0; i < 1_000_000; i++) reader.feedData(socketBuffer.subarray(i & 0xff, (i & 0xff) + 1));
    reader.feedEof();
    let chunks = 0;
    const held = new Set<ArrayBufferLike>();
    for await (const chunk of reader) {
      chunks++;
      if (chunks > 1) held.add(chunk.buffer);
    }
    assert.ok(chunks < 100, `${chunks} chunks`);
    assert.ok(!held.has(socketBuffer.buffer));
  });

  test('many large pieces read in small ones are linear', async () => {
    const reader = new StreamReader(undefined, 64_000_000);
    for (let i = 0; i < 5000; i++) reader.feedData(new Uint8Array(5000));
    reader.feedEof();
    let total = 0;
    for await (const chunk of reader.iterChunked(7001)) total += chunk.length;
    assert.equal(total, 25_000_000);
  });
});

describe('StreamReader: any order of feeding and reading', () => {
  test('gives the bytes in order', async () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('feed' as const), size: fc.integer({ min: 0, max: 9000 }) }),
      fc.record({
        op: fc.constantFrom('read', 'exact', 'chunk', 'unread'),
        size: fc.integer({ min: 1, max: 12_000 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const reader = new StreamReader();
        let fed = 0;
        let read = 0;
        const check = (chunk: Uint8Array | undefined): void => {
          assert.ok(chunk !== undefined && chunk.length !== 0);
          for (let i = 0; i < chunk.length; i++)
            if (chunk[i] !== ((read + i) * 7) % 251) assert.fail(`byte ${read + i}`);
          read += chunk.length;
        };
        for (const { op, size } of steps) {
          if (op === 'feed') {
            reader.feedData(Uint8Array.from({ length: size }, (_, i) => ((fed + i) * 7) % 251));
            fed += size;
          } else if (fed === read) {
          } else if (op === 'read') {
            check(await reader.read(size));
          } else if (op === 'exact') {
            check(await reader.readExactly(Math.min(size, fed - read)));
          } else if (op === 'chunk') {
            check(await reader.readChunk());
          } else {
            const chunk = await reader.read(size);
            reader.unreadData(chunk!);
          }
        }
        reader.feedEof();
        if (fed !== read) check(await reader.read());
        assert.equal(fed, read);
      }),
      { seed: 21, numRuns: 200 },
    );
  });
});

describe('StreamReader: failures', () => {
  test('what waits and what comes later throws the error', async () => {
    const reader = feed('abc');
    const error = new Error('connection lost');
    const read = reader.readExactly(5);
    await settle();
    reader.setException(error);
    await assert.rejects(read, error);
    await assert.rejects(reader.readAny(), error);
    await assert.rejects(reader.waitEof(), error);
    assert.equal(reader.exception(), error);
    assert.equal(reader.readAllNow(), undefined);
    reader.setException(new Error('another'));
    assert.equal(reader.exception(), error);
    reader.feedData(bytes('late'));
    reader.feedEof();
    await assert.rejects(reader.read(), error);
  });

  test('an error nobody waits for is no unhandled rejection', async () => {
    const reader = new StreamReader();
    reader.setException(new Error('x'));
    await settle();
    assert.ok(reader.exception());
  });

  test('two reads at once are refused; the first goes on', async () => {
    const reader = new StreamReader();
    const first = reader.readExactly(3);
    for (const second of [
      reader.read(),
      reader.readAny(),
      reader.readLine(),
      reader.readChunk(),
      reader.readExactly(0),
    ]) {
      await assert.rejects(second, (error: unknown) => {
        assert.ok(error instanceof StreamBusyError);
        assert.equal(error.code, 'AIO_STREAM_BUSY');
        return true;
      });
    }
    assert.throws(() => reader.unreadData(bytes('x')), { code: 'AIO_STREAM_BUSY' });
    reader.feedData(bytes('abc'));
    // Woken, but it has not run yet: nobody may take its bytes.
    await assert.rejects(reader.readAny(), { code: 'AIO_STREAM_BUSY' });
    assert.equal(text(await first), 'abc');
  });

  test('a cancelled read takes nothing and leaves the stream usable', async () => {
    for (const how of ['read', 'readExactly', 'readLine', 'readAny', 'waitEof'] as const) {
      const reader = how === 'readAny' ? new StreamReader() : feed('abc');
      const task = createTask(async () => {
        if (how === 'readExactly') await reader.readExactly(10);
        else await reader[how]();
      });
      await settle();
      task.cancel();
      await assert.rejects(Promise.resolve(task), isCancelled);
      reader.feedData(bytes('def'));
      reader.feedEof();
      assert.equal(text(await reader.read()), how === 'readAny' ? 'def' : 'abcdef', how);
    }
  });

  test('waitEof: several at once', async () => {
    const reader = new StreamReader();
    const waits = Promise.all([reader.waitEof(), reader.waitEof()]);
    await settle();
    reader.feedData(bytes('a'));
    reader.feedEof();
    await waits;
    await reader.waitEof();
    assert.equal(reader.atEof(), false);
  });
});

describe('StreamReader: other faces', () => {
  test('async iteration gives chunks; leaving the loop leaves the rest', async () => {
    const reader = finished('abc', 'x'.repeat(5000), 'def');
    for await (const chunk of reader) {
      assert.equal(text(chunk), 'abc');
      break;
    }
    const sizes: number[] = [];
    for await (const chunk of reader) sizes.push(chunk.length);
    assert.deepEqual(sizes, [5000, 3]);
  });

  test('iterAny and iterChunked', async () => {
    const all: (string | undefined)[] = [];
    for await (const chunk of finished('abc', 'x'.repeat(5000)).iterAny()) all.push(text(chunk));
    assert.deepEqual(all, [`abc${'x'.repeat(5000)}`]);
    const three: (string | undefined)[] = [];
    for await (const chunk of finished('abcd', 'efgh').iterChunked(3)) three.push(text(chunk));
    assert.deepEqual(three, ['abc', 'def', 'gh']);
  });

  test('toWeb', async () => {
    assert.equal(await new Response(finished('abc', 'def').toWeb() as ReadableStream).text(), 'abcdef');
    const reader = new StreamReader();
    const web = reader.toWeb().getReader();
    const pull = web.read();
    reader.setException(new Error('lost'));
    await assert.rejects(pull, /lost/);
  });

  test('toWeb does not detach a buffer that other pieces share', async () => {
    const shared = bytes('abcdef');
    const reader = new StreamReader();
    reader.feedData(shared.subarray(0, 3));
    reader.feedEof();
    await new Response(reader.toWeb() as ReadableStream).arrayBuffer();
    assert.equal(text(shared), 'abcdef');
  });

  test('toNode', async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of finished('abc', 'x'.repeat(5000)).toNode()) chunks.push(chunk as Buffer);
    assert.equal(Buffer.concat(chunks).length, 5003);
    const failing = feed('abc');
    const node = failing.toNode();
    failing.setException(new Error('lost'));
    await assert.rejects(async () => {
      for await (const _ of node);
    }, /lost/);
  });

  test('toNode: destroying it while it waits ends it', async () => {
    const reader = new StreamReader();
    const node = reader.toNode();
    node.resume();
    await settle();
    const closed = new Promise((resolve) => node.once('close', resolve));
    node.destroy();
    await closed;
  });

  test('types', () => {
    const reader = new StreamReader();
    expectTypeOf(() => reader.read()).returns.toEqualTypeOf<Promise<Uint8Array>>();
    expectTypeOf(() => reader.read(1)).returns.toEqualTypeOf<Promise<Uint8Array | undefined>>();
    expectTypeOf(reader.readAny()).toEqualTypeOf<Promise<Uint8Array | undefined>>();
    expectTypeOf(StreamReader.from(new Uint8Array(0)).readAllNow()).toEqualTypeOf<Uint8Array | undefined>();
  });
});
