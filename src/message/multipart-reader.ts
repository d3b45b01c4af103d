import { BodyPartReader } from './body-part-reader.ts';
import { codedRangeError, shown } from './errors.ts';
import type { CIMultiDictProxy } from './multidict.ts';
import { MultipartError } from './multipart-error.ts';
import { MultipartBudget, type MultipartLimitOptions, resolveMultipartLimits } from './multipart-limits.ts';
import { MultipartParser, parseMultipartType } from './multipart-parser.ts';
import { type MultipartSourceReader, PartSequence } from './part-sequence.ts';
import { decodeText } from './text-coding.ts';

/** Options of a {@link MultipartReader}. */
export interface MultipartReaderOptions extends MultipartLimitOptions {
  /**
   * Bytes that `read()`, `text()`, `json()` and `form()` of one part may gather, decoded or not; 0 for no limit. Reading piece by piece is not
   * limited by it. Default 1 GiB, and the application's `clientMaxSize` in `request.multipart()`.
   */
  readonly clientMaxSize?: number | undefined;
  /** What is thrown instead of errors that are the sender's fault. */
  readonly mapError?: ((error: Error) => Error) | undefined;
}

/** 1 GiB, as for the body of a response. */
const DEFAULT_CLIENT_MAX_SIZE = 1_073_741_824;
const MULTIPART = /^[ \t]*multipart\//i;
/** A name of a charset is not longer. */
const MAX_CHARSET = 31;

/** What readers of one body have in common. */
export interface MultipartContext {
  readonly budget: MultipartBudget;
  readonly clientMaxSize: number;
  readonly depth: number;
  readonly mapError: (error: Error) => Error;
}

/**
 * Reads a multipart body part by part, while it comes: each part is a {@link BodyPartReader}, or for a nested multipart another `MultipartReader`. What
 * of a part was not read is skipped when the next one is asked for. Limits bound how many parts there may be, their header lines and their depth;
 * see {@link MultipartReaderOptions}.
 *
 * A form's first part `_charset_` gives the charset of the text parts and is not itself a part (RFC 7578 §4.6).
 *
 * Source: `aiohttp.MultipartReader`.
 *
 * @example
 * ```ts
 * const reader = await request.multipart();
 * for await (const part of reader) {
 *   if (part instanceof MultipartReader) continue;
 *   if (part.filename === undefined) console.log(part.name, await part.text());
 *   else for await (const piece of part) hash.update(piece);
 * }
 * ```
 */
export class MultipartReader implements AsyncIterable<BodyPartReader | MultipartReader> {
  /** The header fields of the message, or of the part that this multipart is. */
  readonly headers: CIMultiDictProxy;
  /** `form-data`, `mixed` …, in lower case. */
  readonly subtype: string;
  private readonly context: MultipartContext;
  private readonly sequence: PartSequence;
  private readonly isForm: boolean;
  private started: boolean;
  private defaultCharset: string | undefined;

  /**
   * @param headers Its Content-Type says how parts are separated.
   * @param content The body.
   * @throws MultipartError `AIO_MULTIPART_TYPE`, `AIO_MULTIPART_BOUNDARY` for a Content-Type that is no multipart or has no proper boundary.
   * @throws RangeError `AIO_MULTIPART_LIMIT`
   */
  constructor(
    headers: CIMultiDictProxy,
    content: MultipartSourceReader,
    options: MultipartReaderOptions | MultipartContext = {},
  ) {
    this.context = 'budget' in options ? options : makeContext(options);
    const { budget, mapError } = this.context;
    this.headers = headers;
    try {
      const { subtype, boundary } = parseMultipartType(headers.get('content-type'));
      this.subtype = subtype;
      this.sequence = new PartSequence(new MultipartParser(boundary, budget), content, mapError);
    } catch (error) {
      throw mapError(error as Error);
    }
    this.isForm = this.subtype === 'form-data';
    this.started = false;
    this.defaultCharset = undefined;
  }

  /**
   * Reads the multipart body of a response. The response's connection is free again after the last part.
   *
   * @example
   * ```ts
   * import { ClientSession, MultipartReader } from 'aiohttp-ts/client';
   *
   * await using session = new ClientSession();
   * await using response = await session.get('http://example.org/report');
   * for await (const part of MultipartReader.fromResponse(response)) console.log(part.headers.get('Content-Type'));
   * ```
   */
  static fromResponse(
    response: { readonly headers: CIMultiDictProxy; readonly content: MultipartSourceReader },
    options?: MultipartReaderOptions,
  ): MultipartReader {
    return new MultipartReader(response.headers, response.content, options);
  }

  /**
   * The next part; `undefined` after the last one.
   *
   * @throws MultipartError when the body is malformed, ends too early, or goes beyond a limit.
   */
  async next(): Promise<BodyPartReader | MultipartReader | undefined> {
    const open = this.sequence.nextNow() ?? (await this.sequence.next());
    if (open === undefined) return undefined;
    const type = open.head.header('content-type');
    const first = !this.started;
    this.started = true;
    if (type !== undefined && MULTIPART.test(type)) {
      return new MultipartReader(open.head.headers, open, deeper(this.context));
    }
    const part = new BodyPartReader(open, this.isForm, this.defaultCharset, this.context);
    if (!first || !this.isForm || part.name !== '_charset_') return part;
    await this.readCharset(part);
    return this.next();
  }

  /** Skips everything that was not read. */
  async release(): Promise<void> {
    while ((await this.next()) !== undefined);
  }

  /** Whether the last boundary was read. */
  atEof(): boolean {
    return this.sequence.ended;
  }

  /** Iterates over the parts. */
  [Symbol.asyncIterator](): AsyncIterableIterator<BodyPartReader | MultipartReader> {
    const iterator: AsyncIterableIterator<BodyPartReader | MultipartReader> = {
      next: async () => {
        const value = await this.next();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  private async readCharset(part: BodyPartReader): Promise<void> {
    const bytes: number[] = [];
    for (let piece = await part.readChunk(); piece !== undefined; piece = await part.readChunk()) {
      if (bytes.length + piece.length > MAX_CHARSET) throw this.unknownCharset(undefined);
      bytes.push(...piece);
    }
    const charset = String.fromCharCode(...bytes).trim();
    try {
      decodeText(new Uint8Array(0), charset);
    } catch (error) {
      throw this.unknownCharset(error);
    }
    this.defaultCharset = charset;
  }

  private unknownCharset(cause: unknown): Error {
    return this.context.mapError(
      new MultipartError('AIO_MULTIPART_TEXT', 'The _charset_ of the form is not known here.', { cause }),
    );
  }
}

function makeContext(options: MultipartReaderOptions): MultipartContext {
  const { clientMaxSize = DEFAULT_CLIENT_MAX_SIZE, mapError = (error) => error } = options;
  if (!(clientMaxSize >= 0)) {
    throw codedRangeError(
      'AIO_CLIENT_MAX_SIZE',
      `clientMaxSize must be a number of bytes, 0 for no limit; got ${shown(clientMaxSize)}.`,
    );
  }
  const limits = resolveMultipartLimits(options);
  return { budget: new MultipartBudget(limits), clientMaxSize, depth: 1, mapError };
}

function deeper(context: MultipartContext): MultipartContext {
  const depth = context.depth + 1;
  const { maxDepth } = context.budget.limits;
  if (depth > maxDepth) {
    throw context.mapError(
      new MultipartError('AIO_MULTIPART_NESTED', `Multiparts are nested more than ${maxDepth} deep.`),
    );
  }
  return { ...context, depth };
}
