import {
  checkedLimit,
  codedRangeError,
  decodeText,
  MULTIPART_DATA,
  MULTIPART_END,
  MULTIPART_NEED_DATA,
  MULTIPART_PART,
  MultiDict,
  type MultiDictProxy,
  MultipartBudget,
  MultipartError,
  type MultipartLimitOptions,
  type MultipartLimits,
  MultipartParser,
  MultipartReader,
  type PartHead,
  parseContentDisposition,
  parseMediaType,
  parseMultipartType,
  resolveMultipartLimits,
  StreamReader,
  type TransferDecoder,
  transferDecoder,
} from '../message/index.ts';
import type { BaseRequest } from './base-request.ts';
import { ExchangeStateError } from './exchange-errors.ts';
import { FileField } from './file-field.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { HTTPBadRequest, type HTTPException, HTTPRequestEntityTooLarge } from './http-exceptions.ts';
import { limitBody, strictText } from './request-body.ts';
import { Spool, SpooledFile } from './spooled-file.ts';
import { hasMorePairs, parseUrlencoded } from './urlencoded-form.ts';

/** Options of `request.post()`. The whole body is limited by `clientMaxSize`. */
export interface PostOptions {
  /** Fields and files. Default 1000. */
  readonly maxParts?: number | undefined;
  /** Bytes of one field. Default 1 MiB. */
  readonly maxFieldSize?: number | undefined;
  /** Bytes of all fields together, which are kept in memory; of an urlencoded form: as they are sent. Default 8 MiB. */
  readonly maxTotalFieldSize?: number | undefined;
  /** Bytes of one file. Default `Infinity`. */
  readonly maxFileSize?: number | undefined;
  /** Header lines of a part. Default 128. */
  readonly maxHeaders?: number | undefined;
  /** Bytes of the header lines of a part. Default 16 KiB. */
  readonly maxHeadSize?: number | undefined;
  /** Bytes of the header lines of all parts. Default 1 MiB. */
  readonly maxTotalHeadSize?: number | undefined;
  /** Bytes of all files that stay in memory; beyond that they are written to temporary files. Default 1 MiB. */
  readonly memoryLimit?: number | undefined;
  /** Directory of temporary files. Default: the system's, `os.tmpdir()`. */
  readonly tempDir?: string | undefined;
}

/** What a form holds: the text of a field, or a file. */
export type FormEntry = string | FileField;

const DEFAULT_MAX_FIELD_SIZE = 1_048_576;
const DEFAULT_MAX_TOTAL_FIELD_SIZE = 8_388_608;
/** As in aiohttp, but for all files of a request together. */
const DEFAULT_MEMORY_LIMIT = 1_048_576;

const METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE']);
const URLENCODED = /^[ \t]*(?:application\/x-www-form-urlencoded[ \t]*(?:;|$)|$)/i;
const FORM_DATA = /^[ \t]*multipart\/form-data[ \t]*(?:;|$)/i;

/** The form that a request carries; empty for methods and types that carry none. */
export async function readForm(
  request: BaseRequest,
  options: PostOptions,
): Promise<MultiDictProxy<FormEntry>> {
  const limits = formLimits(request, options);
  const type = request._header('content-type');
  if (type === undefined || !METHODS.has(request.method)) return new MultiDict<FormEntry>();
  if (URLENCODED.test(type)) return readUrlencoded(request, limits.maxParts, fieldLimits(options));
  if (!FORM_DATA.test(type)) return new MultiDict<FormEntry>();
  limitBody(request.contentLength ?? 0, request.clientMaxSize);
  const spool = new Spool({
    memoryLimit: checkedLimit('memoryLimit', options.memoryLimit ?? DEFAULT_MEMORY_LIMIT),
    directory: options.tempDir,
  });
  try {
    const { boundary } = parseMultipartType(type);
    const parser = new MultipartParser(boundary, new MultipartBudget(limits));
    const bytes = request._bytes;
    if (bytes === undefined) checkPartsAreThere(request);
    const source = bytes === undefined ? request.content : StreamReader.from(bytes);
    const reader = new FormReader(parser, fieldLimits(options), spool, () =>
      request.onDone(() => spool.close()),
    );
    return await reader.read(source);
  } catch (error) {
    spool.close();
    throw error instanceof MultipartError ? multipartFault(error, request.clientMaxSize) : error;
  }
}

/**
 * All of it is in memory, whatever `clientMaxSize` allows to files; and it is refused before it is taken apart: a body of `a&a&a…` takes a hundred
 * times its size as a form.
 */
async function readUrlencoded(
  request: BaseRequest,
  maxParts: number,
  limits: FieldLimits,
): Promise<MultiDict<FormEntry>> {
  const { clientMaxSize } = request;
  const limit = Math.min(
    clientMaxSize === 0 ? Number.POSITIVE_INFINITY : clientMaxSize,
    limits.maxTotalFieldSize,
  );
  const bytes = request._readNow(limit) ?? (await request._readLater(limit));
  limitBody(bytes.byteLength, limit);
  if (hasMorePairs(bytes, maxParts)) throw tooManyFields(maxParts);
  const form = parseUrlencoded<string>(bytes, request.charset, strictText);
  for (const value of form.values()) {
    if (value.length * 3 <= limits.maxFieldSize) continue;
    try {
      checkSize(Buffer.byteLength(value), limits.maxFieldSize, 'A field');
    } catch (error) {
      throw multipartFault(error as MultipartError, clientMaxSize);
    }
  }
  return form;
}

/** The reader behind `request.multipart()`. */
export async function readMultipart(
  request: BaseRequest,
  options: MultipartLimitOptions,
): Promise<MultipartReader> {
  if (request._extras?.form !== undefined) {
    throw new ExchangeStateError(
      'AIO_REQUEST_ALREADY_READ',
      'request.post() has read the parts already: take them from its form, or call multipart() instead of it.',
    );
  }
  const { clientMaxSize } = request;
  const bytes = request._bytes;
  if (bytes === undefined) checkPartsAreThere(request);
  const reader = new MultipartReader(
    request.headers,
    bytes === undefined ? request.content : StreamReader.from(bytes),
    {
      ...options,
      clientMaxSize,
      mapError: (error) => (error instanceof MultipartError ? multipartFault(error, clientMaxSize) : error),
    },
  );
  if (bytes === undefined) request._touchExtras().partsTaken = true;
  return reader;
}

/** Who reads the second time would get the end of a body, and the client would be told that it is malformed. */
function checkPartsAreThere(request: BaseRequest): void {
  if (request._extras?.partsTaken !== true) return;
  throw new ExchangeStateError(
    'AIO_REQUEST_ALREADY_READ',
    'request.multipart() reads the parts already, as they come: they cannot be read a second time. ' +
      'Await request.read() before both to keep the body.',
  );
}

function formLimits(request: BaseRequest, options: PostOptions): MultipartLimits {
  return resolveMultipartLimits({
    maxParts: options.maxParts,
    maxHeaders: options.maxHeaders,
    maxHeadSize: options.maxHeadSize,
    maxTotalHeadSize: options.maxTotalHeadSize,
    maxSize: request.clientMaxSize === 0 ? undefined : request.clientMaxSize,
  });
}

interface FieldLimits {
  readonly maxFieldSize: number;
  readonly maxTotalFieldSize: number;
  readonly maxFileSize: number;
}

function fieldLimits(options: PostOptions): FieldLimits {
  return {
    maxFieldSize: checkedLimit('maxFieldSize', options.maxFieldSize ?? DEFAULT_MAX_FIELD_SIZE),
    maxTotalFieldSize: checkedLimit(
      'maxTotalFieldSize',
      options.maxTotalFieldSize ?? DEFAULT_MAX_TOTAL_FIELD_SIZE,
    ),
    maxFileSize: checkedLimit('maxFileSize', options.maxFileSize ?? Number.POSITIVE_INFINITY),
  };
}

/** What a server answers to a multipart body that is malformed or too large. */
export function multipartFault(error: MultipartError, clientMaxSize: number): HTTPException {
  const { status, message: text } = error;
  if (status === 400) return new HTTPBadRequest({ text, cause: error });
  // What every other body of that size gets.
  if (error.code === 'AIO_MULTIPART_TOO_LARGE') {
    return new HTTPRequestEntityTooLarge(clientMaxSize, { cause: error });
  }
  return new HTTPRequestEntityTooLarge(clientMaxSize, { text, cause: error });
}

function tooManyFields(most: number): HTTPException {
  return multipartFault(
    new MultipartError('AIO_MULTIPART_TOO_MANY_PARTS', `The form has more than ${most} fields.`),
    0,
  );
}

/**
 * Turns the events of a parser into a form. It reads events in one loop, without a reader and promises for each part, because forms of a thousand
 * small fields are common: it takes about half of the time.
 */
class FormReader {
  readonly #parser: MultipartParser;
  readonly #limits: FieldLimits;
  readonly #spool: Spool;
  readonly #firstFile: () => void;
  readonly #form: MultiDict<FormEntry>;
  #files: number;
  #parts: number;
  #totalFieldSize: number;
  #defaultCharset: string | undefined;
  // The part that is being read.
  #name: string;
  #filename: string | undefined;
  #charset: string | undefined;
  #decoder: TransferDecoder | undefined;
  #size: number;
  #file: SpooledFile | undefined;
  /** Nearly every field lies in one piece: it is not copied. */
  #view: Uint8Array | undefined;
  #bytes: GrowingBytes | undefined;

  constructor(parser: MultipartParser, limits: FieldLimits, spool: Spool, firstFile: () => void) {
    this.#parser = parser;
    this.#limits = limits;
    this.#spool = spool;
    this.#firstFile = firstFile;
    this.#form = new MultiDict();
    this.#files = 0;
    this.#parts = 0;
    this.#totalFieldSize = 0;
    this.#defaultCharset = undefined;
    this.#name = '';
    this.#filename = undefined;
    this.#charset = undefined;
    this.#decoder = undefined;
    this.#size = 0;
    this.#file = undefined;
    this.#view = undefined;
    this.#bytes = undefined;
  }

  async read(source: StreamReader): Promise<MultiDict<FormEntry>> {
    const parser = this.#parser;
    for (;;) {
      const event = parser.next();
      if (event === MULTIPART_DATA) this.#add(parser.data);
      else if (event === MULTIPART_PART) this.#begin(parser.head);
      else if (event === MULTIPART_NEED_DATA || event === MULTIPART_END) {
        this.#keepView();
        if (this.#file !== undefined) await this.#spool.flush(false);
        const piece = await source.readChunk();
        if (piece === undefined) break;
        parser.push(piece);
      } else {
        this.#finishContent();
        if (this.#file !== undefined) {
          await this.#spool.flush(true);
          this.#addFile(this.#file);
        } else this.#addField();
      }
    }
    parser.finish();
    this.#spool.finish();
    return this.#form;
  }

  #begin(head: PartHead): void {
    const disposition = head.header('content-disposition');
    const parsed = disposition === undefined ? undefined : parseContentDisposition(disposition);
    const name = parsed?.type === 'form-data' ? parsed.name : undefined;
    if (name === undefined) {
      throw new MultipartError(
        'AIO_MULTIPART_DISPOSITION',
        'A part of the form has no well-formed Content-Disposition with a name.',
      );
    }
    const contentType = head.header('content-type');
    const type = contentType === undefined ? undefined : parseMediaType(contentType);
    if (type?.type.startsWith('multipart/')) {
      throw new MultipartError('AIO_MULTIPART_NESTED', 'A form must not hold another multipart.');
    }
    this.#name = name;
    this.#filename = parsed?.filename;
    this.#charset = type?.charset;
    this.#decoder = transferDecoder(head.header('content-transfer-encoding'));
    this.#size = 0;
    this.#parts++;
    const isText = contentType === undefined || type?.type.startsWith('text/') === true;
    if (this.#filename === undefined && isText) return;
    if (this.#files++ === 0) this.#firstFile();
    this.#file = new SpooledFile(this.#spool);
  }

  #add(data: Uint8Array): void {
    const bytes = this.#decoder === undefined ? data : this.#decoder.push(data);
    if (bytes.length !== 0) this.#addContent(bytes);
  }

  #addContent(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#file !== undefined) {
      checkSize(this.#size, this.#limits.maxFileSize, 'A file');
      this.#file.append(bytes);
      return;
    }
    this.#totalFieldSize += bytes.length;
    checkSize(this.#size, this.#limits.maxFieldSize, 'A field');
    checkSize(this.#totalFieldSize, this.#limits.maxTotalFieldSize, 'All fields together');
    if (this.#view === undefined && this.#bytes === undefined) this.#view = bytes;
    else {
      this.#keepView();
      this.#bytes ??= new GrowingBytes();
      this.#bytes.append(bytes);
    }
  }

  #keepView(): void {
    if (this.#view === undefined) return;
    this.#bytes ??= new GrowingBytes();
    this.#bytes.append(this.#view);
    this.#view = undefined;
  }

  #finishContent(): void {
    if (this.#decoder === undefined) return;
    const rest = this.#decoder.end();
    if (rest.length !== 0) this.#addContent(rest);
  }

  #addField(): void {
    const bytes = this.#view ?? this.#bytes?.view() ?? NOTHING;
    this.#view = undefined;
    this.#bytes = undefined;
    if (this.#parts === 1 && this.#name === '_charset_') {
      this.#defaultCharset = knownCharset(bytes);
      return;
    }
    this.#form.add(this.#name, strictText(bytes, this.#charset ?? this.#defaultCharset));
  }

  #addFile(file: SpooledFile): void {
    this.#file = undefined;
    // What browsers send for a file input that was left empty.
    if (this.#filename === '' && file.size === 0) this.#form.add(this.#name, '');
    else this.#form.add(this.#name, new FileField(this.#name, this.#filename, this.#parser.head, file));
  }
}

const NOTHING = new Uint8Array(0);
/** A name of a charset is not longer. */
const MAX_CHARSET = 31;

function knownCharset(bytes: Uint8Array): string {
  const charset = String.fromCharCode(...bytes.subarray(0, MAX_CHARSET + 1)).trim();
  try {
    if (bytes.length > MAX_CHARSET) throw codedRangeError('AIO_UNKNOWN_CHARSET', 'too long for a charset');
    decodeText(NOTHING, charset);
  } catch (cause) {
    throw new MultipartError('AIO_MULTIPART_TEXT', 'The _charset_ of the form is not known here.', { cause });
  }
  return charset;
}

function checkSize(size: number, most: number, what: string): void {
  if (size <= most) return;
  throw new MultipartError('AIO_MULTIPART_PART_TOO_LARGE', `${what} of the form may have ${most} bytes.`);
}
