import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { expectTypeOf } from 'expect-type';
import fc from 'fast-check';
import * as asyncio from '../../src/asyncio/index.ts';
import {
  BodyPartReader,
  CIMultiDict,
  MultipartError,
  MultipartReader,
  type MultipartReaderOptions,
  StreamReader,
} from '../../src/message/index.ts';

function reader(
  body: string | Uint8Array,
  type = 'multipart/mixed; boundary=b',
  options?: MultipartReaderOptions,
): MultipartReader {
  const content = StreamReader.from(typeof body === 'string' ? Buffer.from(body, 'latin1') : body);
  return new MultipartReader(new CIMultiDict({ 'Content-Type': type }), content, options);
}

/** A body of one part. */
function onePart(head: string, data: string | Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from(`--b\r\n${head}\r\n\r\n`),
    Buffer.from(data),
    Buffer.from('\r\n--b--\r\n'),
  ]);
}

async function first(of: MultipartReader): Promise<BodyPartReader> {
  const part = await of.next();
  assert.ok(part instanceof BodyPartReader);
  return part;
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

const TWO =
  '--b\r\nContent-Type: text/plain\r\n\r\none\ntwo\nthree\r\n--b\r\n\r\nsecond\r\n--b--\r\nepilogue';

describe('MultipartReader', () => {
  test('gives parts in order, then undefined', async () => {
    const parts = reader(TWO);
    assert.equal(parts.subtype, 'mixed');
    const one = await first(parts);
    assert.equal(await one.text(), 'one\ntwo\nthree');
    assert.equal(one.atEof(), true);
    assert.equal(one.contentType, 'text/plain');
    assert.equal(await (await first(parts)).text(), 'second');
    assert.equal(parts.atEof(), false);
    assert.equal(await parts.next(), undefined);
    assert.equal(await parts.next(), undefined);
    assert.equal(parts.atEof(), true);
    expectTypeOf(parts.next).returns.resolves.toEqualTypeOf<BodyPartReader | MultipartReader | undefined>();
  });

  test('skips what was not read of a part', async () => {
    const parts = reader(TWO);
    const one = await first(parts);
    assert.equal(text(await one.readChunk(3)), 'one');
    assert.equal(await (await first(parts)).text(), 'second');
    await assert.rejects(one.read(), { code: 'AIO_PART_PASSED' });
  });

  test('iterates over parts', async () => {
    const sizes: number[] = [];
    for await (const part of reader(TWO)) {
      assert.ok(part instanceof BodyPartReader);
      sizes.push((await part.read()).length);
    }
    assert.deepEqual(sizes, [13, 6]);
  });

  test('takes the epilogue out of the way, and release() everything', async () => {
    for (const leave of ['release', 'iterate'] as const) {
      const content = StreamReader.from(Buffer.from(TWO));
      const parts = new MultipartReader(
        new CIMultiDict({ 'Content-Type': 'multipart/x; boundary=b' }),
        content,
      );
      if (leave === 'release') await parts.release();
      else for await (const part of parts) assert.ok(part);
      assert.equal(content.atEof(), true);
    }
  });

  test('reads nested multiparts, whose limits are those of all', async () => {
    const inner = '--i\r\nX: 1\r\n\r\na\r\n--i\r\n\r\nb\r\n--i--\r\nrest';
    const body = `--b\r\nContent-Type: multipart/related; boundary=i\r\n\r\n${inner}\r\n--b\r\n\r\nc\r\n--b--`;
    const read = async (parts: MultipartReader): Promise<unknown[]> => {
      const list: unknown[] = [];
      for await (const part of parts)
        list.push(part instanceof MultipartReader ? await read(part) : await part.text());
      return list;
    };
    assert.deepEqual(await read(reader(body)), [['a', 'b'], 'c']);
    assert.deepEqual(await read(reader(body, undefined, { maxParts: 4 })), [['a', 'b'], 'c']);
    await assert.rejects(read(reader(body, undefined, { maxParts: 3 })), {
      code: 'AIO_MULTIPART_TOO_MANY_PARTS',
    });
    await assert.rejects(read(reader(body, undefined, { maxDepth: 1 })), { code: 'AIO_MULTIPART_NESTED' });
    // Not read, or in part.
    const parts = reader(body);
    const nested = await parts.next();
    assert.ok(nested instanceof MultipartReader);
    assert.equal(nested.headers.get('Content-Type'), 'multipart/related; boundary=i');
    const a = await first(nested);
    assert.equal((await a.readChunk(10))?.length, 1);
    assert.equal(await (await first(parts)).text(), 'c');
    await assert.rejects(nested.release(), { code: 'AIO_PART_PASSED' });
  });

  test('depth is bounded by default', async () => {
    let body = 'x';
    for (let depth = 0; depth < 10; depth++) {
      body = `--b${depth}\r\nContent-Type: multipart/mixed; boundary=b${depth - 1}\r\n\r\n${body}\r\n--b${depth}--`;
    }
    let parts = reader(body, 'multipart/mixed; boundary=b9');
    await assert.rejects(
      async () => {
        for (;;) {
          const next = await parts.next();
          assert.ok(next instanceof MultipartReader);
          parts = next;
        }
      },
      { code: 'AIO_MULTIPART_NESTED', status: 400 },
    );
  });

  test('an error stays', async () => {
    const parts = reader('--b\r\n\r\nx');
    const one = await first(parts);
    await assert.rejects(one.read(), { code: 'AIO_MULTIPART_TRUNCATED' });
    await assert.rejects(parts.next(), { code: 'AIO_MULTIPART_TRUNCATED' });
    await assert.rejects(parts.release(), { code: 'AIO_MULTIPART_TRUNCATED' });
  });

  test('the source failing is what readers get, and mapError only sees the sender’s faults', async () => {
    const headers = new CIMultiDict({ 'Content-Type': 'multipart/mixed; boundary=b' });
    const content = new StreamReader();
    content.feedData(Buffer.from('--b\r\n\r\nx'));
    const mapError = (error: Error): Error => new Error('mapped', { cause: error });
    const one = await first(new MultipartReader(headers, content, { mapError }));
    content.setException(new Error('gone'));
    await assert.rejects(one.read(), { message: 'gone' });
    await assert.rejects(reader('--b', undefined, { mapError }).next(), { message: 'mapped' });
    assert.throws(() => reader('', 'text/plain', { mapError }), { message: 'mapped' });
  });

  test('two reads at once are refused', async () => {
    const content = new StreamReader();
    const parts = new MultipartReader(
      new CIMultiDict({ 'Content-Type': 'multipart/mixed; boundary=b' }),
      content,
    );
    const waiting = parts.next();
    await assert.rejects(parts.next(), { code: 'AIO_MULTIPART_BUSY' });
    content.feedData(Buffer.from(TWO));
    content.feedEof();
    assert.ok(await waiting);
  });

  test('a cancelled read takes nothing out', async () => {
    const content = new StreamReader();
    content.feedData(Buffer.from('--b\r\n\r\none'));
    const parts = new MultipartReader(
      new CIMultiDict({ 'Content-Type': 'multipart/mixed; boundary=b' }),
      content,
    );
    const one = await first(parts);
    assert.equal(text(await one.readChunk()), 'one');
    const task = asyncio.createTask(() => one.readChunk());
    await asyncio.sleep(0);
    task.cancel();
    await assert.rejects(Promise.resolve(task), asyncio.CancelledError);
    content.feedData(Buffer.from('two\r\n--b--'));
    content.feedEof();
    assert.equal(await one.text(), 'two');
  });

  test('needs a multipart type and limits that are numbers', () => {
    assert.throws(() => reader('', 'text/plain'), { code: 'AIO_MULTIPART_TYPE' });
    assert.throws(() => reader('', undefined, { maxParts: -1 }), { code: 'AIO_MULTIPART_LIMIT' });
    assert.throws(() => reader('', undefined, { clientMaxSize: -1 }), { code: 'AIO_CLIENT_MAX_SIZE' });
  });
});

describe('BodyPartReader', () => {
  test('reads chunks of a size', async () => {
    const part = await first(reader(onePart('A: 1', 'x'.repeat(10))));
    const sizes: number[] = [];
    for (let piece = await part.readChunk(4); piece !== undefined; piece = await part.readChunk(4))
      sizes.push(piece.length);
    assert.deepEqual(sizes, [4, 4, 2]);
    assert.equal(part.atEof(), true);
    assert.equal(await part.readChunk(4), undefined);
    assert.equal((await part.read()).length, 0);
    await assert.rejects(part.readChunk(0), { code: 'AIO_BYTE_COUNT' });
  });

  test('reads lines', async () => {
    const part = await first(reader(TWO));
    const lines: string[] = [];
    for (let line = await part.readLine(); line !== undefined; line = await part.readLine())
      lines.push(text(line));
    assert.deepEqual(lines, ['one\n', 'two\n', 'three']);
    const long = await first(reader(onePart('A: 1', 'x'.repeat(100))));
    await assert.rejects(long.readLine({ maxLineLength: 99 }), { code: 'AIO_LINE_TOO_LONG' });
  });

  test('tells names, type and charset', async () => {
    const head =
      'Content-Disposition: form-data; name="a"; filename="../x%22.txt"\r\nContent-Type: Text/Plain; charset=latin1';
    const part = await first(reader(onePart(head, '\xe9'), 'multipart/form-data; boundary=b'));
    assert.deepEqual(
      [part.name, part.filename, part.contentType, part.getCharset('utf-8')],
      ['a', '../x".txt', 'text/plain', 'latin1'],
    );
    assert.equal(part.headers.get('content-type'), 'Text/Plain; charset=latin1');
    const bare = await first(reader(onePart('Content-Disposition: form-data; name="a', '')));
    assert.deepEqual(
      [bare.name, bare.filename, bare.contentType, bare.getCharset('utf-8')],
      [undefined, undefined, undefined, 'utf-8'],
    );
  });

  test('text, json and form', async () => {
    const one = (data: string | Uint8Array, head = 'A: 1'): Promise<BodyPartReader> =>
      first(reader(onePart(head, data)));
    assert.equal(await (await one('é')).text(), 'é');
    assert.equal(await (await one(Buffer.from([0xe9]))).text({ encoding: 'latin1' }), 'é');
    assert.equal(
      await (await one(Buffer.from([0xe9]), 'Content-Type: text/plain; charset=iso-8859-1')).text(),
      'é',
    );
    await assert.rejects((await one(Buffer.from([0xe9]))).text(), {
      code: 'AIO_MULTIPART_TEXT',
      status: 400,
    });
    await assert.rejects((await one('x', 'Content-Type: text/plain; charset=nope')).text(), {
      code: 'AIO_MULTIPART_TEXT',
    });
    assert.deepEqual(await (await one('{"a":1}')).json(), { a: 1 });
    assert.equal(await (await one('')).json(), undefined);
    await assert.rejects((await one('{')).json(), { code: 'AIO_MULTIPART_TEXT' });
    assert.deepEqual(
      [...(await (await one('a=1&b=%C3%A9+\r\n')).form())],
      [
        ['a', '1'],
        ['b', 'é '],
      ],
    );
    assert.equal((await (await one('')).form()).size, 0);
  });

  test('_charset_ is for the parts behind it', async () => {
    const body = ['_charset_', 'a'].map(
      (name) =>
        `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${name === 'a' ? '\xe9' : 'latin1'}\r\n`,
    );
    const form = reader(`${body.join('')}--b--`, 'multipart/form-data; boundary=b');
    const part = await first(form);
    assert.deepEqual([part.name, await part.text()], ['a', 'é']);
    const mixed = reader(`${body.join('')}--b--`);
    assert.equal((await first(mixed)).name, '_charset_');
    for (const charset of ['nope', 'x'.repeat(1000)]) {
      const wrong = body[0]!.replace('latin1', charset);
      await assert.rejects(reader(`${wrong}--b--`, 'multipart/form-data; boundary=b').next(), {
        code: 'AIO_MULTIPART_TEXT',
      });
    }
  });

  test('gathers no more than clientMaxSize', async () => {
    const big = onePart('A: 1', 'x'.repeat(1000));
    assert.equal((await (await first(reader(big, undefined, { clientMaxSize: 1000 }))).read()).length, 1000);
    assert.equal((await (await first(reader(big, undefined, { clientMaxSize: 0 }))).read()).length, 1000);
    const part = await first(reader(big, undefined, { clientMaxSize: 999 }));
    await assert.rejects(part.read(), { code: 'AIO_MULTIPART_PART_TOO_LARGE', status: 413 });
    // Piece by piece there is no such limit.
    const streamed = await first(reader(big, undefined, { clientMaxSize: 999 }));
    let size = 0;
    for await (const piece of streamed) size += piece.length;
    assert.equal(size, 1000);
  });
});

describe('encoded parts', () => {
  const decoded = async (head: string, data: string | Uint8Array, type?: string): Promise<string> =>
    text(await (await first(reader(onePart(head, data), type))).read({ decode: true }));

  test('base64 and quoted-printable', async () => {
    const table: readonly [encoding: string, data: string, expected: string][] = [
      ['base64', 'VGltZQ==', 'Time'],
      ['BASE64', 'VG\r\n lt\tZQ', 'Time'],
      ['base64', '', ''],
      ['base64', 'TQ==\r\n', 'M'],
      ['quoted-printable', 'a=3Db=\r\nc =e9\td', 'a=bc \xe9\td'],
      ['quoted-printable', 'line \t\r\nnext=20\r\n=  \r\nend', 'line\r\nnext \r\nend'],
      ['binary', 'a=3D', 'a=3D'],
      ['8bit', 'x', 'x'],
    ];
    for (const [encoding, data, expected] of table) {
      assert.equal(await decoded(`Content-Transfer-Encoding: ${encoding}`, data), expected, encoding);
    }
    for (const [encoding, data] of [
      ['base64', 'VGl*'],
      ['base64', 'V'],
      ['base64', 'VG=='.concat('lt')],
      ['base64', 'VGlt='],
      ['quoted-printable', 'a=3'],
      ['quoted-printable', 'a=zz'],
      ['quoted-printable', `a${' '.repeat(2000)}b`],
      ['x-uuencode', 'x'],
    ] as const) {
      await assert.rejects(
        decoded(`Content-Transfer-Encoding: ${encoding}`, data),
        { code: 'AIO_MULTIPART_ENCODING' },
        data,
      );
    }
  });

  test('base64 and quoted-printable decode what was encoded, however it is split', async () => {
    const quoted = (bytes: Uint8Array): string =>
      [...bytes]
        .map((byte) => `=${byte.toString(16).padStart(2, '0')}`)
        .join('')
        .replace(/(.{75})/g, '$1=\r\n');
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        async (bytes, base64, size) => {
          const data = base64
            ? Buffer.from(bytes)
                .toString('base64')
                .replace(/(.{20})/g, '$1\r\n')
            : quoted(bytes);
          const whole = onePart(`Content-Transfer-Encoding: ${base64 ? 'base64' : 'quoted-printable'}`, data);
          const content = new StreamReader();
          const parts = new MultipartReader(
            new CIMultiDict({ 'Content-Type': 'multipart/mixed; boundary=b' }),
            {
              readChunk: async () => content.read(size),
            },
          );
          content.feedData(whole);
          content.feedEof();
          assert.deepEqual([...(await (await first(parts)).read({ decode: true }))], [...bytes]);
        },
      ),
      { seed: 7 },
    );
  });

  const long = Buffer.from('some text '.repeat(100_000));
  const coded: readonly [coding: string, bytes: Uint8Array][] = [
    ['gzip', gzipSync(long)],
    ['deflate', deflateSync(long)],
    ['deflate', deflateRawSync(long)],
    ['br', brotliCompressSync(long)],
    ['gzip, br', brotliCompressSync(gzipSync(long))],
    ['identity', long],
  ];
  for (const [coding, bytes] of coded) {
    test(`Content-Encoding: ${coding}`, async () => {
      assert.equal(await decoded(`Content-Encoding: ${coding}`, bytes), long.toString());
      const both = `Content-Encoding: ${coding}\r\nContent-Transfer-Encoding: base64`;
      assert.equal(await decoded(both, Buffer.from(bytes).toString('base64')), long.toString());
      const part = await first(reader(onePart(`Content-Encoding: ${coding}`, '')));
      assert.equal(text(await part.decode(bytes)), long.toString());
      assert.equal((await part.read({ decode: true })).length, 0);
    });
  }

  test('without decode the bytes are as sent, and forms have no Content-Encoding', async () => {
    const bytes = gzipSync('x');
    assert.deepEqual(await (await first(reader(onePart('Content-Encoding: gzip', bytes)))).read(), bytes);
    assert.equal(
      await decoded('Content-Encoding: gzip', bytes, 'multipart/form-data; boundary=b'),
      text(bytes),
    );
  });

  test('what is broken or unknown is an error', async () => {
    const bytes = gzipSync(long);
    for (const [coding, data] of [
      ['gzip', bytes.subarray(0, 50)],
      ['gzip', 'plain'],
      ['br', 'plain'],
      ['compress', 'x'],
      ['gzip, gzip, gzip, gzip, gzip', 'x'],
    ] as const) {
      await assert.rejects(decoded(`Content-Encoding: ${coding}`, data), { code: 'AIO_MULTIPART_ENCODING' });
    }
  });

  test('a bomb is not decoded beyond clientMaxSize, nor ahead of who reads', async () => {
    const bomb = onePart('Content-Encoding: gzip', gzipSync(Buffer.alloc(50_000_000)));
    const part = await first(reader(bomb, undefined, { clientMaxSize: 100_000 }));
    await assert.rejects(part.read({ decode: true }), { code: 'AIO_MULTIPART_PART_TOO_LARGE', status: 413 });
    const streamed = await first(reader(bomb));
    let size = 0;
    let largest = 0;
    for await (const piece of streamed) {
      size += piece.length;
      largest = Math.max(largest, piece.length);
    }
    assert.equal(size, 50_000_000);
    assert.ok(largest <= 1_048_576, `a piece of ${largest} bytes`);
  });
});

test('a MultipartError knows its status', () => {
  assert.equal(new MultipartError('AIO_MULTIPART_HEADER', 'x').status, 400);
  assert.equal(new MultipartError('AIO_MULTIPART_TOO_LARGE', 'x').status, 413);
  assert.equal(new MultipartError('AIO_MULTIPART_HEADER', 'x').name, 'MultipartError');
});
