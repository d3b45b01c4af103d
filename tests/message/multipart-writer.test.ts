import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  BytesPayload,
  MultipartWriter,
  type PartHeaders,
  type PayloadData,
  StringPayload,
} from '../../src/message/index.ts';

async function written(writer: MultipartWriter): Promise<string> {
  return Buffer.from(await writer.asBytes()).toString();
}

/** The same bytes by way of the source, whose pieces may be anything. */
async function streamed(writer: MultipartWriter): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await writer.open()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}

const TEXT = 'Content-Type: text/plain; charset=utf-8';

interface Case {
  readonly what: string;
  readonly parts: readonly (readonly [PayloadData, PartHeaders?])[];
  readonly subtype?: string;
  readonly bytes: string;
  /** Default: that of the bytes. */
  readonly size?: undefined;
}

const cases: readonly Case[] = [
  { what: 'no part', parts: [], bytes: '--b--\r\n' },
  {
    what: 'text',
    parts: [['hello']],
    bytes: `--b\r\n${TEXT}\r\nContent-Length: 5\r\n\r\nhello\r\n--b--\r\n`,
  },
  {
    what: 'empty parts',
    parts: [[''], [new Uint8Array(0)]],
    bytes: `--b\r\n${TEXT}\r\nContent-Length: 0\r\n\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n\r\n--b--\r\n`,
  },
  {
    what: 'fields take the place of those of the value',
    parts: [['é', { 'content-type': 'a/b', 'X-Name': 'é€' }]],
    bytes: '--b\r\ncontent-type: a/b\r\nX-Name: é€\r\nContent-Length: 2\r\n\r\né\r\n--b--\r\n',
  },
  {
    what: 'no lengths in a form',
    subtype: 'form-data',
    parts: [['x', { 'Content-Disposition': 'form-data; name="a"' }]],
    bytes: `--b\r\nContent-Disposition: form-data; name="a"\r\n${TEXT}\r\n\r\nx\r\n--b--\r\n`,
  },
  {
    what: 'a named payload',
    parts: [[new StringPayload('x', { contentType: 'a/b', filename: 'f.txt' })]],
    bytes:
      '--b\r\nContent-Type: a/b\r\nContent-Disposition: attachment; filename="f.txt"\r\nContent-Length: 1\r\n\r\nx\r\n--b--\r\n',
  },
  {
    what: 'base64',
    parts: [[Buffer.from('hello'), { 'Content-Transfer-Encoding': 'base64' }]],
    bytes:
      '--b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: application/octet-stream\r\nContent-Length: 8\r\n\r\naGVsbG8=\r\n--b--\r\n',
  },
  {
    what: 'base64 in lines',
    parts: [[Buffer.alloc(58), { 'Content-Transfer-Encoding': 'BASE64', 'Content-Type': 'a/b' }]],
    bytes: `--b\r\nContent-Transfer-Encoding: BASE64\r\nContent-Type: a/b\r\nContent-Length: 82\r\n\r\n${'A'.repeat(76)}\r\nAA==\r\n--b--\r\n`,
  },
  {
    what: 'quoted-printable',
    parts: [
      [
        'a=é\r\n \r\nb \t\rc\nend ',
        { 'Content-Transfer-Encoding': 'quoted-printable', 'Content-Type': 'a/b' },
      ],
    ],
    bytes:
      '--b\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: a/b\r\n\r\na=3D=C3=A9\r\n=20\r\nb =09=0Dc=0Aend=20\r\n--b--\r\n',
    size: undefined,
  },
  {
    what: 'quoted-printable in lines',
    parts: [['x'.repeat(80), { 'Content-Transfer-Encoding': 'quoted-printable', 'Content-Type': 'a/b' }]],
    bytes: `--b\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: a/b\r\n\r\n${'x'.repeat(75)}=\r\n${'x'.repeat(5)}\r\n--b--\r\n`,
    size: undefined,
  },
  {
    what: 'encodings that change nothing',
    parts: [
      ['x', { 'Content-Transfer-Encoding': '8bit', 'Content-Encoding': 'identity', 'Content-Type': 'a/b' }],
    ],
    bytes:
      '--b\r\nContent-Transfer-Encoding: 8bit\r\nContent-Encoding: identity\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx\r\n--b--\r\n',
  },
];

describe('the bytes', () => {
  for (const { what, parts, subtype, bytes, ...rest } of cases) {
    test(what, async () => {
      const writer = new MultipartWriter(subtype, 'b');
      for (const [value, headers] of parts) writer.append(value, headers);
      assert.equal(writer.length, parts.length);
      assert.equal(writer.contentType, `multipart/${subtype ?? 'mixed'}; boundary=b`);
      assert.equal(writer.size, 'size' in rest ? undefined : Buffer.byteLength(bytes));
      assert.equal(await written(writer), bytes);
      assert.equal(await streamed(writer), bytes);
      assert.equal(await streamed(writer), bytes);
      if (writer.whole !== undefined) assert.equal(Buffer.from(writer.whole).toString(), bytes);
    });
  }

  test('JSON and a urlencoded form', async () => {
    const writer = new MultipartWriter('mixed', 'b');
    assert.equal(writer.appendJson({ a: 1 }).size, 7);
    assert.equal(writer.appendForm({ a: '1 2', b: ['é', 3] }).size, 18);
    assert.equal(
      await written(writer),
      '--b\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}\r\n' +
        '--b\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 18\r\n\r\na=1+2&b=%C3%A9&b=3\r\n--b--\r\n',
    );
  });

  test('compressed parts', async () => {
    const writer = new MultipartWriter('mixed', 'b');
    writer.append('hello '.repeat(1000), {
      'Content-Encoding': 'gzip',
      'Content-Transfer-Encoding': 'base64',
    });
    assert.equal(writer.size, undefined);
    const content = (await written(writer)).split('\r\n\r\n')[1]!.split('\r\n--b')[0]!;
    assert.equal(gunzipSync(Buffer.from(content, 'base64')).toString(), 'hello '.repeat(1000));
  });

  test('a body in a body', async () => {
    const outer = new MultipartWriter('mixed', 'outer');
    const inner = new MultipartWriter('alternative', 'inner');
    inner.append('x', { 'Content-Type': 'a/b' });
    outer.append(inner);
    const body = '--inner\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx\r\n--inner--\r\n';
    const bytes = `--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\nContent-Length: ${body.length}\r\n\r\n${body}\r\n--outer--\r\n`;
    assert.equal(outer.size, bytes.length);
    assert.equal(await written(outer), bytes);
    assert.throws(() => inner.append(outer), { code: 'AIO_PAYLOAD' });
    assert.throws(() => outer.append(outer), { code: 'AIO_PAYLOAD' });
    assert.throws(() => new MultipartWriter('mixed', 'a').append(new MultipartWriter('mixed', 'ab')), {
      code: 'AIO_BOUNDARY',
    });
  });

  test('small parts are joined into few pieces, large ones are not copied', async () => {
    const writer = new MultipartWriter('mixed', 'b');
    for (let i = 0; i < 1000; i++) writer.append(`field ${i}`);
    const large = Buffer.alloc(1_000_000, 'x');
    writer.append(large);
    const pieces: Uint8Array[] = [];
    for await (const piece of await writer.open()) pieces.push(piece as Uint8Array);
    assert.ok(pieces.length < 8, String(pieces.length));
    assert.equal(pieces.filter((piece) => piece.buffer === large.buffer).length, 1);
    assert.equal(
      pieces.reduce((sum, piece) => sum + piece.length, 0),
      writer.size,
    );
  });
});

describe('boundaries', () => {
  test('are random unless given', () => {
    const made = Array.from({ length: 100 }, () => new MultipartWriter().boundary);
    assert.equal(new Set(made).size, 100);
    for (const boundary of made) assert.match(boundary, /^[-0-9A-Za-z]{20,70}$/);
  });

  test('are what RFC 2046 allows', () => {
    for (const boundary of ['a', 'x'.repeat(70), "0'()+_,-./:=?", 'a b']) {
      assert.equal(new MultipartWriter('mixed', boundary).boundary, boundary);
    }
    assert.equal(new MultipartWriter('mixed', 'a b').contentType, 'multipart/mixed; boundary="a b"');
    for (const boundary of ['', 'x'.repeat(71), 'a ', 'a"b', 'é', 'a\r\nb', 'a\0', 'a;b', 5, null]) {
      assert.throws(() => new MultipartWriter('mixed', boundary as string), {
        name: 'RangeError',
        code: 'AIO_BOUNDARY',
      });
    }
  });

  test('a chosen one must not occur in the content', () => {
    const writer = new MultipartWriter('mixed', 'known');
    for (const evil of ['x\r\n--known\r\n\r\ny', Buffer.from('\r\n--known--')]) {
      assert.throws(() => writer.append(evil), { code: 'AIO_BOUNDARY' });
    }
    writer.append('x\r\n--known\r\n', { 'Content-Transfer-Encoding': 'base64' });
    assert.equal(writer.length, 1);
  });

  test('the subtype is a token', () => {
    for (const subtype of ['', 'a b', 'x\r\ny', 'a; boundary=c']) {
      assert.throws(() => new MultipartWriter(subtype), { code: 'AIO_MEDIA_TYPE' });
    }
  });
});

describe('nothing in a field can end its line', () => {
  const bad: readonly PartHeaders[] = [
    { 'X-A': 'a\r\nX-B: c' },
    { 'X-A': 'a\n' },
    { 'X-A': 'a\0' },
    { 'X-A': '\x7f' },
    { 'X-A': 5 as never },
    { 'X A': 'a' },
    { 'X-A\r\nX-B': 'a' },
    { '': 'a' },
    { é: 'a' },
    { 'Content-Type': 'a/b\r\n\r\nbody' },
    { 'Content-Length': '0' },
    { 'transfer-encoding': 'chunked' },
  ];
  for (const headers of bad) {
    test(JSON.stringify(headers), () => {
      const writer = new MultipartWriter();
      assert.throws(() => writer.append('x', headers), { name: 'TypeError', code: 'AIO_PART_HEADER' });
      assert.equal(writer.length, 0);
    });
  }

  test('nor in what a payload says of itself', () => {
    const writer = new MultipartWriter();
    assert.throws(() => writer.append(new BytesPayload(Buffer.from(''), { contentType: 'a/b\r\nX: y' })), {
      code: 'AIO_PART_HEADER',
    });
    assert.throws(() => writer.append(new StringPayload('', { filename: 'a\r\nX: y' })), {
      code: 'AIO_CONTENT_DISPOSITION',
    });
  });

  test('unknown encodings and values are refused', () => {
    const writer = new MultipartWriter();
    assert.throws(() => writer.append('x', { 'Content-Encoding': 'lzw' }), { code: 'AIO_PART_ENCODING' });
    assert.throws(() => writer.append('x', { 'Content-Transfer-Encoding': 'uuencode' }), {
      code: 'AIO_PART_ENCODING',
    });
    for (const value of [5, null, undefined, {}, [['a', 'b']]]) {
      assert.throws(() => writer.append(value as never), { name: 'TypeError', code: 'AIO_PAYLOAD' });
    }
  });
});

describe('sources', () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'multipart-'));
    file = path.join(folder, 'a');
  });
  after(() => rm(folder, { recursive: true }));

  test('an open file has a size once the body is prepared, and can be sent again', async () => {
    await writeFile(file, 'file!');
    const handle = await open(file);
    const writer = new MultipartWriter('mixed', 'b');
    writer.append(handle);
    assert.equal(writer.size, undefined);
    await writer.prepare();
    const bytes =
      '--b\r\nContent-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nfile!\r\n--b--\r\n';
    assert.equal(writer.size, bytes.length);
    assert.equal(writer.replayable, true);
    assert.equal(await streamed(writer), bytes);
    assert.equal(await streamed(writer), bytes);
    assert.throws(() => writer.append('late'), { code: 'AIO_MULTIPART_SENT' });

    await truncate(file, 3);
    await assert.rejects(streamed(writer), { name: 'RangeError', code: 'AIO_PAYLOAD_SIZE' });
    await handle.close();
  });

  test('a stream makes a body of unknown size that is sent once', async () => {
    const writer = new MultipartWriter('mixed', 'b');
    writer.append('before');
    writer.append(Readable.from(['a', 'é']), { 'Content-Type': 'a/b' });
    assert.equal(writer.size, undefined);
    assert.equal(writer.replayable, false);
    assert.equal(writer.consumed, false);
    assert.match(await written(writer), /\r\nContent-Type: a\/b\r\n\r\naé\r\n--b--\r\n$/);
    assert.equal(writer.consumed, true);
  });

  test('a part that fails fails the body, and those behind it are let go of', async () => {
    const mine = new Error('mine');
    await writeFile(file, 'x');
    const behind = createReadStream(file);
    const writer = new MultipartWriter();
    async function* failing(): AsyncGenerator<string> {
      yield 'x';
      throw mine;
    }
    writer.append(failing());
    writer.append(behind);
    await assert.rejects(written(writer), mine);
    assert.equal(behind.destroyed, true);
  });

  test('a body that is given up while it waits lets go of all its sources', async () => {
    await writeFile(file, 'x');
    for (const headers of [{}, { 'Content-Encoding': 'gzip' }]) {
      const stuck = new PassThrough();
      const behind = createReadStream(file);
      const writer = new MultipartWriter();
      writer.append(stuck, headers);
      writer.append(behind);
      const source = writer.open() as AsyncIterable<Uint8Array> & { destroy(): void };
      const iterator = source[Symbol.asyncIterator]();
      stuck.write('something');
      const waiting = (async () => {
        for (;;) if ((await iterator.next()).done === true) return;
      })();
      await new Promise(setImmediate);
      source.destroy();
      await assert.rejects(waiting);
      assert.equal(stuck.destroyed, true);
      assert.equal(behind.destroyed, true);
      assert.deepEqual(await iterator.next(), { done: true, value: undefined });
    }
  });

  test('a body that is not sent lets go of its sources', async () => {
    await writeFile(file, 'x');
    const stream = createReadStream(file);
    const inner = new MultipartWriter();
    inner.append(stream);
    const writer = new MultipartWriter();
    writer.append(inner);
    writer.release(new Error('not sent'));
    assert.equal(stream.destroyed, true);
  });
});
