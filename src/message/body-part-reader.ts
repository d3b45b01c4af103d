import { type ContentDisposition, parseContentDisposition } from './content-disposition.ts';
import { codedRangeError, shown } from './errors.ts';
import { parseMediaType } from './media-type.ts';
import { type CIMultiDictProxy, MultiDict } from './multidict.ts';
import { MultipartError } from './multipart-error.ts';
import { decodedPieces, isEncoded, type PartCodings } from './part-decoding.ts';
import type { PartHead } from './part-head.ts';
import type { OpenPart } from './part-sequence.ts';
import { parseQuery } from './query.ts';
import { LineTooLong } from './stream-errors.ts';
import type { ReadLineOptions } from './stream-reader.ts';
import { decodeText, UndecodableTextError, UnknownCharsetError } from './text-coding.ts';

/** @internal What parts have from their reader. */
export interface PartContext {
  readonly clientMaxSize: number;
  readonly mapError: (error: Error) => Error;
}

/** Options of {@link BodyPartReader.read}. */
export interface PartReadOptions {
  /** Undo Content-Transfer-Encoding, and Content-Encoding outside of forms. Default `false`. */
  readonly decode?: boolean | undefined;
}

/** Options of {@link BodyPartReader.text} and its relatives. */
export interface PartTextOptions {
  /** Default: the part's charset, else the form's `_charset_`, else UTF-8. */
  readonly encoding?: string | undefined;
}

const MAX_LINE = 524_288;

/**
 * One part of a multipart body, read while it comes. Read it before the next part is asked for.
 *
 * Iterating over it (`for await`) gives decoded pieces; `readChunk()`, `readLine()` and `read()` give bytes as they were sent.
 *
 * Source: `aiohttp.BodyPartReader`.
 *
 * @example
 * ```ts
 * const reader = await request.multipart();
 * const part = await reader.next();
 * if (part instanceof BodyPartReader) console.log(part.name, part.filename, await part.text());
 * ```
 */
export class BodyPartReader implements AsyncIterable<Uint8Array> {
  private readonly head: PartHead;
  private readonly source: OpenPart;
  private readonly isForm: boolean;
  private readonly defaultCharset: string | undefined;
  private readonly context: PartContext;
  private named: ContentDisposition | null | undefined;
  /** What was taken from the source and not yet given out. */
  private rest: Uint8Array | undefined;
  private ended: boolean;

  /** @internal */
  constructor(source: OpenPart, isForm: boolean, defaultCharset: string | undefined, context: PartContext) {
    this.head = source.head;
    this.source = source;
    this.isForm = isForm;
    this.defaultCharset = defaultCharset;
    this.context = context;
    this.named = undefined;
    this.rest = undefined;
    this.ended = false;
  }

  /** Header fields of the part; their characters stand for bytes. */
  get headers(): CIMultiDictProxy {
    return this.head.headers;
  }

  /** What Content-Disposition says; `undefined` when it is missing or malformed. */
  get contentDisposition(): ContentDisposition | undefined {
    if (this.named === undefined) {
      const value = this.head.header('content-disposition');
      this.named = (value === undefined ? undefined : parseContentDisposition(value)) ?? null;
    }
    return this.named ?? undefined;
  }

  /** The name of the form's field; `undefined` when there is none. */
  get name(): string | undefined {
    return this.contentDisposition?.name;
  }

  /** The name of the file as it was sent, which may be a path or worse: `safeFileName()` makes it fit for a directory. `undefined` when there is none. */
  get filename(): string | undefined {
    return this.contentDisposition?.filename;
  }

  /** Media type in lower case without parameters; `undefined` when there is none, or it is malformed. */
  get contentType(): string | undefined {
    return this.mediaType?.type;
  }

  /** The charset that text of this part is in: its own, else the form's `_charset_`, else `fallback`. */
  getCharset(fallback: string): string {
    return this.mediaType?.charset ?? this.defaultCharset ?? fallback;
  }

  /** Whether the part was read to its end. */
  atEof(): boolean {
    return this.ended && this.rest === undefined;
  }

  /**
   * The whole part, or what is left of it, as it was sent.
   *
   * @throws MultipartError `AIO_MULTIPART_PART_TOO_LARGE` beyond `clientMaxSize`; `AIO_MULTIPART_ENCODING` when it cannot be decoded. On a
   *   server: HTTPRequestEntityTooLarge (413), HTTPBadRequest (400).
   */
  read(options?: PartReadOptions): Promise<Uint8Array> {
    return options?.decode === true && this.mayBeEncoded ? this.gather(this) : this.gatherRaw();
  }

  /** At most `size` bytes as they were sent (without it: the next piece as it came); `undefined` at the end. */
  async readChunk(size?: number): Promise<Uint8Array | undefined> {
    if (size !== undefined && !(Number.isSafeInteger(size) && size > 0)) {
      throw codedRangeError(
        'AIO_BYTE_COUNT',
        `readChunk(${shown(size)}): a whole number of bytes is expected`,
      );
    }
    const piece = await this.take();
    if (piece === undefined || size === undefined || piece.length <= size) return piece;
    this.rest = piece.subarray(size);
    return piece.subarray(0, size);
  }

  /**
   * A line with its LF; the last one may have none; `undefined` at the end.
   *
   * @throws LineTooLong for a line of more than `maxLineLength` bytes (default 512 KiB), which is lost.
   */
  async readLine(options?: ReadLineOptions): Promise<Uint8Array | undefined> {
    const limit = options?.maxLineLength ?? MAX_LINE;
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const piece = await this.take();
      if (piece === undefined) break;
      const end = piece.indexOf(0x0a) + 1;
      const taken = end === 0 ? piece : piece.subarray(0, end);
      if (end !== 0 && end !== piece.length) this.rest = piece.subarray(end);
      size += taken.length;
      if (size > limit) throw new LineTooLong(limit);
      pieces.push(taken);
      if (end !== 0) break;
    }
    if (pieces.length === 0) return undefined;
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
  }

  /**
   * The whole part as text, decoded.
   *
   * @throws MultipartError `AIO_MULTIPART_TEXT` when the bytes are not text in their charset, or it is not known; and what `read()` throws.
   */
  async text(options?: PartTextOptions): Promise<string> {
    const bytes = this.mayBeEncoded ? await this.gather(this) : (this.wholeNow() ?? (await this.gatherRaw()));
    try {
      return decodeText(bytes, options?.encoding ?? this.getCharset('utf-8'));
    } catch (cause) {
      if (cause instanceof UnknownCharsetError || cause instanceof UndecodableTextError) {
        throw this.fault('AIO_MULTIPART_TEXT', 'A part is not valid text in its charset.', cause);
      }
      throw cause;
    }
  }

  /**
   * The whole part as JSON; `undefined` when it is empty.
   *
   * @throws MultipartError `AIO_MULTIPART_TEXT` when it is not JSON; and what `text()` throws.
   */
  async json<T = unknown>(options?: PartTextOptions): Promise<T | undefined> {
    const text = await this.text(options);
    if (text === '') return undefined;
    try {
      const data: T = JSON.parse(text);
      return data;
    } catch (cause) {
      throw this.fault('AIO_MULTIPART_TEXT', 'A part is not valid JSON.', cause);
    }
  }

  /** The whole part as an urlencoded form. Throws what `text()` throws. */
  async form(options?: PartTextOptions): Promise<MultiDict<string>> {
    const text = (await this.text(options)).trimEnd();
    return text === '' ? new MultiDict() : parseQuery(text);
  }

  /** Skips what was not read. */
  async release(): Promise<void> {
    while ((await this.take()) !== undefined);
  }

  /** Decodes bytes of this part as its header fields say: what `read({ decode: true })` does with all of them. */
  decode(data: Uint8Array): Promise<Uint8Array> {
    return this.gather(this.decodeIter(data));
  }

  /** As `decode()`, piece by piece. */
  decodeIter(data: Uint8Array): AsyncIterable<Uint8Array> {
    return this.mapped(decodedPieces(only(data), this.codings));
  }

  /** Iterates over the decoded content, piece by piece as it comes. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const { codings } = this;
    try {
      const pieces = isEncoded(codings)
        ? this.mapped(decodedPieces(this.rawPieces(), codings))
        : this.rawPieces();
      return pieces[Symbol.asyncIterator]();
    } catch (error) {
      throw this.context.mapError(error as Error);
    }
  }

  private get mediaType(): ReturnType<typeof parseMediaType> {
    const value = this.head.header('content-type');
    return value === undefined ? undefined : parseMediaType(value);
  }

  /** In forms there is no Content-Encoding: whoever sends one means something else (RFC 7578 §4.8). */
  private get codings(): PartCodings {
    return {
      contentEncoding: this.isForm ? undefined : this.head.header('content-encoding'),
      transferEncoding: this.head.header('content-transfer-encoding'),
    };
  }

  private get mayBeEncoded(): boolean {
    const { contentEncoding, transferEncoding } = this.codings;
    return contentEncoding !== undefined || transferEncoding !== undefined;
  }

  /** The whole part if it is here in one piece, as nearly every field of a form is; else `undefined`, and nothing was taken. */
  private wholeNow(): Uint8Array | undefined {
    if (this.rest !== undefined) return undefined;
    const piece = this.takeNow();
    if (piece === undefined || piece === null) return piece === null ? NOTHING : undefined;
    const next = this.takeNow();
    if (next === null) {
      this.checkSize(piece.length);
      return piece;
    }
    this.rest = next === undefined ? piece : Buffer.concat([piece, next]);
    return undefined;
  }

  /** As `readNow()` of a source. */
  private takeNow(): Uint8Array | null | undefined {
    if (this.rest !== undefined) {
      const { rest } = this;
      this.rest = undefined;
      return rest;
    }
    if (this.ended) return null;
    const piece = this.source.readNow();
    this.ended = piece === null;
    return piece;
  }

  private async take(): Promise<Uint8Array | undefined> {
    let piece = this.takeNow();
    if (piece === undefined) {
      piece = (await this.source.readChunk()) ?? null;
      this.ended = piece === null;
    }
    return piece ?? undefined;
  }

  private async *rawPieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let piece = await this.take(); piece !== undefined; piece = await this.take()) yield piece;
  }

  private async *mapped(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* pieces;
    } catch (error) {
      throw error instanceof MultipartError ? this.context.mapError(error) : error;
    }
  }

  private async gather(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const gathered: Uint8Array[] = [];
    let size = 0;
    for await (const piece of pieces) {
      size += piece.length;
      this.checkSize(size);
      gathered.push(piece);
    }
    return gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered, size);
  }

  /** As `gather()`, without promises for what is here already. */
  private async gatherRaw(): Promise<Uint8Array> {
    const gathered: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      let piece = this.takeNow();
      if (piece === undefined) piece = (await this.take()) ?? null;
      if (piece === null) break;
      size += piece.length;
      this.checkSize(size);
      gathered.push(piece);
    }
    return gathered.length === 1 ? gathered[0]! : Buffer.concat(gathered, size);
  }

  private checkSize(size: number): void {
    const { clientMaxSize } = this.context;
    if (clientMaxSize !== 0 && size > clientMaxSize) {
      throw this.fault('AIO_MULTIPART_PART_TOO_LARGE', `A part is larger than ${clientMaxSize} bytes.`);
    }
  }

  private fault(code: MultipartError['code'], message: string, cause?: unknown): Error {
    const options = cause === undefined ? undefined : { cause };
    return this.context.mapError(new MultipartError(code, message, options));
  }
}

const NOTHING = new Uint8Array(0);

async function* only(data: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (data.length !== 0) yield data;
}
