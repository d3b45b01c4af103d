import type { Blob } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import type { ReadableStream } from 'node:stream/web';
import { BodyPump, type BodySource, isBodySource } from './body-source.ts';
import { formatContentDisposition } from './content-disposition.ts';
import { codedTypeError, shown } from './errors.ts';

/** What a payload says about itself. */
export interface PayloadOptions {
  /** Media type; each kind of payload has a default of its own. */
  readonly contentType?: string | undefined;
  /** Name of a file, for Content-Disposition. */
  readonly filename?: string | undefined;
}

/**
 * Something that can be sent as a body, by the client and by the server, or as a part of a multipart body: what is sent, how long it is,
 * and whether it can be sent again. A class of one's own extends it; {@link registerPayload} tells which values it stands for.
 *
 * aiohttp: `payload.Payload`.
 *
 * @example
 * ```ts
 * import { Payload } from 'aiohttp-ts';
 *
 * class Countdown extends Payload {
 *   readonly size = undefined;
 *   readonly replayable = true;
 *   constructor() {
 *     super('text/plain');
 *   }
 *   async *open() {
 *     for (let i = 3; i > 0; i--) yield `${i}\n`;
 *   }
 * }
 * console.log(Buffer.from(await new Countdown().asBytes()).toString()); // '3\n2\n1\n'
 * ```
 */
export abstract class Payload {
  /** Value of Content-Type, when the message sets none. */
  readonly contentType: string | undefined;
  /** Name of the file that it is; `undefined` when it is none, or has no name. */
  readonly filename: string | undefined;

  constructor(contentType: string | undefined, filename?: string | undefined) {
    this.contentType = contentType;
    this.filename = filename;
  }

  /** In bytes; `undefined` when it is not known before the end. */
  abstract get size(): number | undefined;
  /** It can be sent once more, from its beginning. */
  abstract get replayable(): boolean;
  /** It is being or has been sent, and cannot be sent again. */
  get consumed(): boolean {
    return false;
  }
  /** Value of Content-Disposition, when the message sets none. */
  get contentDisposition(): string | undefined {
    const { filename } = this;
    return filename === undefined
      ? undefined
      : formatContentDisposition('attachment', { filename }, 'attachment');
  }
  /** All of it when it is in memory: text whose characters are one byte each, or bytes. */
  get whole(): string | Uint8Array | undefined {
    return undefined;
  }
  /** Finds out what must be known before the head is written. */
  prepare(): Promise<void> | undefined {
    return undefined;
  }
  /** The source to send from; called once for each time that it is sent. */
  abstract open(): BodySource | Promise<BodySource>;
  /** Lets go of what it holds: it was not sent and will not be. A stream is ended. Does nothing once it was opened. */
  release(_reason: Error): void {}

  /** All of it in memory: for signatures. A payload that cannot be replayed is consumed by it. */
  async asBytes(): Promise<Uint8Array> {
    const { whole } = this;
    if (whole !== undefined) return bytesOf(whole, 'latin1');
    const preparing = this.prepare();
    if (preparing !== undefined) await preparing;
    const pieces: Uint8Array[] = [];
    for await (const piece of await this.open()) pieces.push(bytesOf(piece, 'utf8'));
    return Buffer.concat(pieces);
  }
}

/** A payload that is in memory: text with one byte for each character, or bytes. */
export class WholePayload extends Payload {
  readonly #whole: string | Uint8Array;

  constructor(whole: string | Uint8Array, contentType: string | undefined, filename?: string | undefined) {
    super(contentType, filename);
    this.#whole = whole;
  }

  override get size(): number {
    return this.#whole.length;
  }

  override get replayable(): boolean {
    return true;
  }

  override get whole(): string | Uint8Array {
    return this.#whole;
  }

  override async *open(): AsyncGenerator<Uint8Array> {
    yield bytesOf(this.#whole, 'latin1');
  }
}

/**
 * Bytes, as `application/octet-stream` unless told otherwise. They are not copied.
 *
 * aiohttp: `BytesPayload`.
 *
 * @example
 * ```ts
 * new BytesPayload(Uint8Array.of(0x89, 0x50), { contentType: 'image/png', filename: 'logo.png' });
 * ```
 */
export class BytesPayload extends WholePayload {
  constructor(bytes: ArrayBuffer | ArrayBufferView, options: PayloadOptions = {}) {
    super(viewOf(bytes), options.contentType ?? OCTETS, options.filename);
  }
}

/**
 * Text, sent as UTF-8, as `text/plain; charset=utf-8` unless told otherwise.
 *
 * aiohttp: `StringPayload`.
 *
 * @example
 * ```ts
 * new StringPayload('<p>é</p>', { contentType: 'text/html; charset=utf-8' }).size; // 9
 * ```
 */
export class StringPayload extends WholePayload {
  constructor(text: string, options: PayloadOptions = {}) {
    super(utf8Whole(text), options.contentType ?? TEXT, options.filename);
  }
}

/** Options of a {@link JsonPayload}. */
export interface JsonPayloadOptions extends PayloadOptions {
  /** Turns the value into text; default `JSON.stringify`. */
  readonly dumps?: ((value: unknown) => string) | undefined;
}

/**
 * A value as JSON, `application/json` unless told otherwise. It is turned into text at once.
 *
 * aiohttp: `JsonPayload`.
 *
 * @throws TypeError `AIO_REQUEST_JSON` when the value has no form in JSON.
 * @example
 * ```ts
 * new JsonPayload({ a: [1, null] }).whole; // '{"a":[1,null]}'
 * ```
 */
export class JsonPayload extends WholePayload {
  constructor(value: unknown, options: JsonPayloadOptions = {}) {
    const text: unknown = (options.dumps ?? JSON.stringify)(value);
    if (typeof text !== 'string') {
      throw codedTypeError('AIO_REQUEST_JSON', `json: ${shown(value)} has no form in JSON`);
    }
    super(utf8Whole(text), options.contentType ?? JSON_TYPE, options.filename);
  }
}

/**
 * A `Blob` or a `File` with its type, length and name; also what `openAsBlob` of `node:fs` gives.
 *
 * @example
 * ```ts
 * import { openAsBlob } from 'node:fs';
 * import { BlobPayload } from 'aiohttp-ts';
 *
 * const picture = new BlobPayload(await openAsBlob('logo.png'), { contentType: 'image/png', filename: 'logo.png' });
 * ```
 */
export class BlobPayload extends Payload {
  readonly #blob: Blob;

  constructor(blob: Blob, options: PayloadOptions = {}) {
    const { name } = blob as { name?: unknown };
    const type = options.contentType ?? (blob.type === '' ? OCTETS : blob.type);
    super(type, options.filename ?? (typeof name === 'string' ? name : undefined));
    this.#blob = blob;
  }

  override get size(): number {
    return this.#blob.size;
  }

  override get replayable(): boolean {
    return true;
  }

  override open(): BodySource {
    return this.#blob.stream() as ReadableStream<Uint8Array>;
  }
}

/** How much of a file is read at once: reading 64 MB this way costs a third of what 64 KiB at a time costs. */
const FILE_PIECE = 262_144;

/**
 * An open file, from its beginning to the end that it has when the sending begins. It stays open: who opened it closes it.
 *
 * aiohttp: `BufferedReaderPayload`.
 *
 * @example
 * ```ts
 * import { open } from 'node:fs/promises';
 * import { FilePayload } from 'aiohttp-ts';
 *
 * const file = await open('report.pdf');
 * const report = new FilePayload(file, { contentType: 'application/pdf', filename: 'report.pdf' });
 * ```
 */
export class FilePayload extends Payload {
  readonly #file: FileHandle;
  #size: number | undefined;

  constructor(file: FileHandle, options: PayloadOptions = {}) {
    super(options.contentType ?? OCTETS, options.filename);
    this.#file = file;
    this.#size = undefined;
  }

  override get size(): number | undefined {
    return this.#size;
  }

  override get replayable(): boolean {
    return true;
  }

  override async prepare(): Promise<void> {
    this.#size = (await this.#file.stat()).size;
  }

  override async *open(): AsyncGenerator<Uint8Array> {
    if (this.#size === undefined) await this.prepare();
    const size = this.#size!;
    for (let position = 0; position < size; ) {
      const length = Math.min(FILE_PIECE, size - position);
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(length), 0, length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}

/**
 * A source that comes piece by piece: an async iterable, a Node stream, a web stream, a `StreamReader`. It can be sent once, and is ended when it
 * is not sent after all.
 *
 * aiohttp: `AsyncIterablePayload`, `StreamReaderPayload`.
 *
 * @example
 * ```ts
 * import { createReadStream } from 'node:fs';
 * import { StreamPayload } from 'aiohttp-ts';
 *
 * new StreamPayload(createReadStream('clip.mp4'), { contentType: 'video/mp4' }).replayable; // false
 * ```
 */
export class StreamPayload extends Payload {
  readonly #source: BodySource;
  #opened: boolean;

  constructor(source: BodySource, options: PayloadOptions = {}) {
    super(options.contentType ?? OCTETS, options.filename);
    this.#source = source;
    this.#opened = false;
  }

  override get size(): undefined {
    return undefined;
  }

  override get replayable(): boolean {
    return false;
  }

  override get consumed(): boolean {
    return this.#opened;
  }

  override open(): BodySource {
    this.#opened = true;
    return this.#source;
  }

  override release(reason: Error): void {
    if (this.#opened) return;
    this.#opened = true;
    new BodyPump(this.#source).stop(reason);
  }
}

/**
 * A source that a function opens, each time that it is sent: so it can be sent again.
 *
 * @example
 * ```ts
 * import { createReadStream } from 'node:fs';
 * import { OpenedPayload } from 'aiohttp-ts';
 *
 * new OpenedPayload(() => createReadStream('clip.mp4'), { contentType: 'video/mp4' }).replayable; // true
 * ```
 */
export class OpenedPayload extends Payload {
  readonly #open: () => BodySource | Promise<BodySource>;

  constructor(open: () => BodySource | Promise<BodySource>, options: PayloadOptions = {}) {
    super(options.contentType ?? OCTETS, options.filename);
    this.#open = open;
  }

  override get size(): undefined {
    return undefined;
  }

  override get replayable(): boolean {
    return true;
  }

  override async open(): Promise<BodySource> {
    const source = await this.#open();
    if (!isBodySource(source)) {
      throw codedTypeError(
        'AIO_REQUEST_DATA',
        `the function given as data returned ${kindOf(source)}: a stream or an async iterable is expected`,
      );
    }
    return source;
  }
}

const OCTETS = 'application/octet-stream';
const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** Text as it is sent, as bytes only when it has to be: ASCII goes out in one string with the head. */
export function utf8Whole(text: string): string | Uint8Array {
  return Buffer.byteLength(text, 'utf8') === text.length ? text : Buffer.from(text, 'utf8');
}

/** The bytes of a piece of a body. @throws TypeError `AIO_REQUEST_DATA` when it is neither text nor bytes */
export function bytesOf(piece: unknown, encoding: 'utf8' | 'latin1'): Uint8Array {
  if (typeof piece === 'string') return Buffer.from(piece, encoding);
  if (piece instanceof Uint8Array) return piece;
  throw codedTypeError(
    'AIO_REQUEST_DATA',
    `a source of a body gave ${shown(piece)}; bytes or text are expected`,
  );
}

function viewOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (data instanceof Uint8Array) return data;
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}

/** What a value is, for messages. */
export function kindOf(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? `a ${(value.constructor as { name?: string } | undefined)?.name ?? 'object'}`
    : shown(value);
}
