import { Blob } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import type { ReadableStream } from 'node:stream/web';
import {
  type BodySource,
  codedTypeError,
  formatMediaType,
  formatQuery,
  isBodySource,
  MultiDict,
  type QueryInit,
  type QueryValue,
  type StreamReader,
  shown,
} from '../message/index.ts';

/**
 * What can be sent. Text is sent as UTF-8, `URLSearchParams`, pairs and plain objects as a form (urlencoded), a `Blob` with its type and length,
 * an open file with its length, sources piece by piece. A function that opens a source lets it be sent again, when a redirect or a
 * retry asks for it; a source itself can be sent once.
 */
export type RequestData =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | URLSearchParams
  | MultiDict<QueryValue>
  | Iterable<readonly [string, QueryValue]>
  | Readonly<Record<string, QueryValue | readonly QueryValue[] | undefined>>
  | FileHandle
  | RequestBody
  | StreamReader
  | BodySource
  | (() => BodySource | Promise<BodySource>);

/**
 * The body of a request: what is sent, how long it is, and whether it can be sent again.
 *
 * Source: `aiohttp.payload.Payload`.
 */
export abstract class RequestBody {
  /** Value of Content-Type, when the request sets none. */
  readonly contentType: string | undefined;
  /** Value of Content-Disposition, when the request sets none. */
  readonly contentDisposition: string | undefined;

  constructor(contentType: string | undefined, contentDisposition?: string) {
    this.contentType = contentType;
    this.contentDisposition = contentDisposition;
  }

  /** In bytes; `undefined` when it is not known before the end. */
  abstract get size(): number | undefined;
  /** It can be sent once more, from its beginning. */
  abstract get replayable(): boolean;
  /** It is being or has been sent, and cannot be sent again. */
  get consumed(): boolean {
    return false;
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

  /** All of it in memory: for signatures. A body that cannot be replayed is consumed by it. */
  async asBytes(): Promise<Uint8Array> {
    const { whole } = this;
    if (whole !== undefined) return typeof whole === 'string' ? Buffer.from(whole, 'latin1') : whole;
    const pieces: Uint8Array[] = [];
    for await (const piece of await this.open()) {
      pieces.push(typeof piece === 'string' ? Buffer.from(piece) : piece);
    }
    return Buffer.concat(pieces);
  }
}

class WholeBody extends RequestBody {
  readonly #whole: string | Uint8Array;

  constructor(whole: string | Uint8Array, contentType: string) {
    super(contentType);
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
    yield typeof this.#whole === 'string' ? Buffer.from(this.#whole, 'latin1') : this.#whole;
  }
}

class BlobBody extends RequestBody {
  readonly #blob: Blob;

  constructor(blob: Blob) {
    const { name } = blob as { name?: unknown };
    super(
      blob.type === '' ? 'application/octet-stream' : blob.type,
      typeof name === 'string' ? attachment(name) : undefined,
    );
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

/** An open file, from its beginning; it stays open. */
class FileBody extends RequestBody {
  readonly #file: FileHandle;
  #size: number;

  constructor(file: FileHandle) {
    super('application/octet-stream');
    this.#file = file;
    this.#size = 0;
  }

  override get size(): number {
    return this.#size;
  }

  override get replayable(): boolean {
    return true;
  }

  override async prepare(): Promise<void> {
    this.#size = (await this.#file.stat()).size;
  }

  override async *open(): AsyncGenerator<Uint8Array> {
    for (let position = 0; position < this.#size; ) {
      const length = Math.min(FILE_PIECE, this.#size - position);
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(length), 0, length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}

class SourceBody extends RequestBody {
  readonly #source: BodySource;
  #opened: boolean;

  constructor(source: BodySource) {
    super('application/octet-stream');
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
}

class OpenedBody extends RequestBody {
  readonly #open: () => BodySource | Promise<BodySource>;

  constructor(open: () => BodySource | Promise<BodySource>) {
    super('application/octet-stream');
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
    if (!isBodySource(source)) throw unsupported(source, 'the function given as data returned ');
    return source;
  }
}

/**
 * The body that data stands for.
 *
 * @throws TypeError `AIO_REQUEST_DATA` when it is nothing that can be sent
 */
export function bodyOf(data: RequestData): RequestBody {
  if (typeof data === 'string') return textBody(data, 'text/plain; charset=utf-8');
  if (typeof data === 'function') return new OpenedBody(data);
  if (typeof data !== 'object' || data === null) throw unsupported(data);
  if (data instanceof Uint8Array) return new WholeBody(data, 'application/octet-stream');
  if (ArrayBuffer.isView(data)) {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return new WholeBody(bytes, 'application/octet-stream');
  }
  if (data instanceof ArrayBuffer) return new WholeBody(Buffer.from(data), 'application/octet-stream');
  if (data instanceof Blob) return new BlobBody(data);
  if (data instanceof RequestBody) return data;
  if (isFile(data)) return new FileBody(data);
  if (isBodySource(data)) return new SourceBody(data);
  return formBody(data as QueryInit);
}

/** Text, as bytes only when it has to be: ASCII goes out in one string with the head. */
export function textBody(text: string, contentType: string): RequestBody {
  const ascii = Buffer.byteLength(text, 'utf8') === text.length;
  return new WholeBody(ascii ? text : Buffer.from(text, 'utf8'), contentType);
}

/** @throws TypeError `AIO_REQUEST_JSON` when the serialiser gives no text */
export function jsonBody(value: unknown, serialise: (value: unknown) => string): RequestBody {
  const text: unknown = serialise(value);
  if (typeof text !== 'string') {
    throw codedTypeError('AIO_REQUEST_JSON', `json: ${shown(value)} has no form in JSON`);
  }
  return textBody(text, 'application/json');
}

function formBody(data: QueryInit): RequestBody {
  if (!(data instanceof MultiDict) && !(data instanceof URLSearchParams)) checkPlain(data);
  return new WholeBody(formatQuery(data), 'application/x-www-form-urlencoded');
}

function checkPlain(data: unknown): void {
  if (typeof data === 'object' && data !== null) {
    // A platform FormData is sent as multipart by everybody else: never as something different in silence.
    if (Symbol.iterator in data && !(data instanceof FormData)) return;
    const prototype: unknown = Object.getPrototypeOf(data);
    if (prototype === Object.prototype || prototype === null) return;
  }
  throw unsupported(data);
}

function isFile(data: object): data is FileHandle {
  return (
    'fd' in data && 'stat' in data && 'read' in data && typeof data.read === 'function' && !('pipe' in data)
  );
}

function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  const plain = formatMediaType('a/b', { filename: ascii }).slice('a/b; '.length);
  if (ascii === name) return `attachment; ${plain}`;
  // RFC 8187: the name in UTF-8 beside one that every reader understands.
  const encoded = encodeURIComponent(name.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; ${plain}; filename*=UTF-8''${encoded}`;
}

function unsupported(data: unknown, before = ''): TypeError {
  const kind =
    typeof data === 'object' && data !== null
      ? `a ${(data.constructor as { name?: string } | undefined)?.name ?? 'object'}`
      : shown(data);
  return codedTypeError(
    'AIO_REQUEST_DATA',
    `${before}${kind}: data is text, bytes, a Blob, an open file, a form (pairs or a plain object), a stream or async iterable, or a function that returns one`,
  );
}
