import assert from 'node:assert/strict';
import { Blob, File } from 'node:buffer';
import { createReadStream, openAsBlob } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import {
  BytesPayload,
  FilePayload,
  FormData,
  JsonPayload,
  MultipartWriter,
  OpenedPayload,
  Payload,
  PayloadRegistry,
  type PayloadType,
  payloadRegistry,
  registerPayload,
  StreamPayload,
  StreamReader,
  StringPayload,
} from '../../src/message/index.ts';

const octets = 'application/octet-stream';

let folder: string;
let file: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'payload-'));
  file = path.join(folder, 'a.bin');
  await writeFile(file, 'file!');
});
after(() => rm(folder, { recursive: true }));

interface Known {
  readonly what: string;
  readonly make: () => unknown;
  readonly bytes: string;
  readonly type?: string;
  readonly size: number | undefined;
  readonly replayable: boolean;
  readonly filename?: string;
}

const text = 'text/plain; charset=utf-8';
const known: readonly Known[] = [
  { what: 'text', make: () => 'hello', bytes: 'hello', type: text, size: 5, replayable: true },
  { what: 'text beyond ASCII', make: () => 'é€', bytes: 'é€', type: text, size: 5, replayable: true },
  { what: 'empty text', make: () => '', bytes: '', type: text, size: 0, replayable: true },
  { what: 'a Buffer', make: () => Buffer.from('b'), bytes: 'b', size: 1, replayable: true },
  { what: 'an ArrayBuffer', make: () => Uint8Array.of(65).buffer, bytes: 'A', size: 1, replayable: true },
  {
    what: 'a view',
    make: () => new DataView(Uint8Array.of(65, 66).buffer, 1),
    bytes: 'B',
    size: 1,
    replayable: true,
  },
  {
    what: 'a Blob',
    make: () => new Blob(['x'], { type: 'a/b' }),
    bytes: 'x',
    type: 'a/b',
    size: 1,
    replayable: true,
  },
  {
    what: 'a File',
    make: () => new File(['x'], 'n.txt'),
    bytes: 'x',
    size: 1,
    replayable: true,
    filename: 'n.txt',
  },
  { what: 'a generator', make: () => pieces(), bytes: 'aé', size: undefined, replayable: false },
  {
    what: 'a Node stream',
    make: () => Readable.from(['a', 'é']),
    bytes: 'aé',
    size: undefined,
    replayable: false,
  },
  {
    what: 'a web stream',
    make: () => new Blob(['aé']).stream(),
    bytes: 'aé',
    size: undefined,
    replayable: false,
  },
  {
    what: 'a StreamReader',
    make: () => StreamReader.from(Buffer.from('s')),
    bytes: 's',
    size: undefined,
    replayable: false,
  },
  {
    what: 'a file stream',
    make: () => createReadStream(file),
    bytes: 'file!',
    size: undefined,
    replayable: false,
  },
  { what: 'a function', make: () => pieces, bytes: 'aé', size: undefined, replayable: true },
  {
    what: 'a payload',
    make: () => new JsonPayload([1]),
    bytes: '[1]',
    type: 'application/json',
    size: 3,
    replayable: true,
  },
  {
    what: 'a form',
    make: () => new FormData({ a: '1 2' }),
    bytes: 'a=1+2',
    type: 'application/x-www-form-urlencoded',
    size: 5,
    replayable: true,
  },
];

async function* pieces(): AsyncGenerator<Uint8Array | string> {
  yield 'a';
  yield Buffer.from('é');
}

describe('what has a payload', () => {
  for (const { what, make, bytes, type = octets, size, replayable, filename } of known) {
    test(what, async () => {
      const payload = payloadRegistry.get(make());
      assert.ok(payload instanceof Payload);
      assert.equal(payload.contentType, type);
      assert.equal(payload.size, size);
      assert.equal(payload.replayable, replayable);
      assert.equal(payload.filename, filename);
      assert.equal(payload.consumed, false);
      assert.equal(Buffer.from(await payload.asBytes()).toString(), bytes);
      assert.equal(payload.consumed, !replayable);
      if (replayable) assert.equal(Buffer.from(await payload.asBytes()).toString(), bytes);
      if (replayable) {
        const read: Uint8Array[] = [];
        for await (const piece of await payload.open()) read.push(Buffer.from(piece));
        assert.equal(Buffer.concat(read).toString(), bytes);
      }
    });
  }

  test('an open file: its size is known when it was asked for, it stays open', async () => {
    const handle = await open(file);
    const payload = payloadRegistry.get(handle);
    assert.ok(payload instanceof FilePayload);
    assert.equal(payload.size, undefined);
    await payload.prepare();
    assert.equal(payload.size, 5);
    assert.equal(Buffer.from(await payload.asBytes()).toString(), 'file!');
    assert.equal(Buffer.from(await new FilePayload(handle).asBytes()).toString(), 'file!');
    await handle.close();
  });

  test('openAsBlob', async () => {
    const payload = payloadRegistry.get(await openAsBlob(file));
    assert.equal(payload?.size, 5);
    assert.equal(Buffer.from(await payload!.asBytes()).toString(), 'file!');
  });

  test('nothing else', () => {
    for (const value of [undefined, null, 5, true, Symbol('s'), 5n, {}, [], new Map(), new Date()]) {
      assert.equal(payloadRegistry.get(value), undefined);
    }
  });
});

describe('kinds', () => {
  test('say what they are told', () => {
    assert.equal(new BytesPayload(Buffer.from('x'), { contentType: 'image/png' }).contentType, 'image/png');
    const named = new StringPayload('x', { filename: 'né.txt' });
    assert.equal(named.contentDisposition, `attachment; filename="n_.txt"; filename*=UTF-8''n%C3%A9.txt`);
    assert.equal(new StringPayload('x').contentDisposition, undefined);
    assert.equal(new StreamPayload(pieces(), { contentType: 'a/b', filename: 'f' }).filename, 'f');
  });

  test('JSON', () => {
    assert.equal(new JsonPayload({ a: [1, null] }).whole, '{"a":[1,null]}');
    assert.deepEqual(new JsonPayload('é').whole, Buffer.from('"é"'));
    assert.equal(new JsonPayload(1, { dumps: () => 'one' }).whole, 'one');
    for (const value of [undefined, () => 1, Symbol('s')]) {
      assert.throws(() => new JsonPayload(value), { name: 'TypeError', code: 'AIO_REQUEST_JSON' });
    }
  });

  test('a stream that is not sent is ended, one that was opened is left alone', async () => {
    const reason = new Error('not sent');
    const unsent = createReadStream(file);
    new StreamPayload(unsent).release(reason);
    assert.equal(unsent.destroyed, true);
    const sent = Readable.from(['x']);
    const payload = new StreamPayload(sent);
    payload.open();
    payload.release(reason);
    assert.equal(sent.destroyed, false);
    sent.destroy();
  });

  test('a function must open a source, and pieces must be text or bytes', async () => {
    const nothing = new OpenedPayload(() => 5 as never);
    await assert.rejects(nothing.asBytes(), { name: 'TypeError', code: 'AIO_REQUEST_DATA' });
    await assert.rejects(new StreamPayload(Readable.from([5])).asBytes(), { code: 'AIO_REQUEST_DATA' });
  });
});

describe('types of one’s own', () => {
  class Point {
    readonly x: number;
    constructor(x: number) {
      this.x = x;
    }
  }
  class Lines {
    async *[Symbol.asyncIterator](): AsyncGenerator<string> {
      yield 'line';
    }
  }

  test('a class, until it is taken out again', async () => {
    assert.equal(payloadRegistry.get(new Point(1)), undefined);
    const remove = registerPayload(Point, (point) => new JsonPayload({ x: point.x }));
    try {
      assert.equal(payloadRegistry.get(new Point(7))?.whole, '{"x":7}');
      const writer = new MultipartWriter('mixed', 'b');
      writer.append(new Point(1) as never);
      assert.match(Buffer.from(await writer.asBytes()).toString(), /application\/json/);
      assert.match(
        Buffer.from(await new FormData({ p: new Point(2) as never }).toPayload().asBytes()).toString(),
        /name="p"; filename="blob"\r\nContent-Type: application\/json\r\n.*\{"x":2\}/s,
      );
    } finally {
      remove();
      remove();
    }
    assert.equal(payloadRegistry.get(new Point(1)), undefined);
  });

  test('the order decides who is asked before whom', () => {
    const registry = new PayloadRegistry();
    const made = (word: string) => () => new StringPayload(word);
    const isText = { matches: (value: unknown): value is string => typeof value === 'string' };
    const anything = { matches: (_value: unknown): _value is unknown => true };
    registry.register(anything, made('last'), 'tryLast');
    assert.equal(registry.get('x')?.whole, 'x');
    assert.ok(registry.get(new Lines()) instanceof StreamPayload);
    assert.equal(registry.get(5)?.whole, 'last');
    registry.register(Lines, made('normal'));
    assert.equal(registry.get(new Lines())?.whole, 'normal');
    registry.register(Lines, made('newer'));
    assert.equal(registry.get(new Lines())?.whole, 'newer');
    registry.register(isText, made('not asked'));
    assert.equal(registry.get('x')?.whole, 'x');
    registry.register(isText, made('first'), 'tryFirst');
    assert.equal(registry.get('x')?.whole, 'first');
    assert.equal(registry.get(new Lines())?.whole, 'newer');
  });

  test('wrong types, orders and factories are refused', () => {
    const registry = new PayloadRegistry();
    const factory = (): Payload => new StringPayload('');
    for (const type of [undefined, 5, 'Point', {}, { matches: 1 }, () => true]) {
      assert.throws(() => registry.register(type as never, factory), { code: 'AIO_PAYLOAD_TYPE' });
    }
    for (const order of ['first', 'toString', '__proto__']) {
      assert.throws(() => registry.register(Point, factory, order as never), { code: 'AIO_PAYLOAD_TYPE' });
    }
    registry.register(Point, () => 'text' as never);
    assert.throws(() => registry.get(new Point(1)), { name: 'TypeError', code: 'AIO_PAYLOAD_TYPE' });
  });

  test('the factory knows the type of its values', () => {
    registerPayload(Point, (point) => {
      expectTypeOf(point).toEqualTypeOf<Point>();
      return new StringPayload('');
    })();
    const isDate = { matches: (value: unknown): value is Date => value instanceof Date };
    registerPayload(isDate, (date) => {
      expectTypeOf(date).toEqualTypeOf<Date>();
      return new StringPayload(date.toISOString());
    })();
    expectTypeOf(Point).toExtend<PayloadType<Point>>();
  });
});
