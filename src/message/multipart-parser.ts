import { ByteSearch } from './byte-search.ts';
import { shown } from './errors.ts';
import { parseMediaType } from './media-type.ts';
import { MultipartError } from './multipart-error.ts';
import type { MultipartBudget, MultipartLimits } from './multipart-limits.ts';
import { PartHead } from './part-head.ts';

/** {@link MultipartParser.next} wants more bytes. */
export const MULTIPART_NEED_DATA = 0;
/** A part began: its header lines are in `head`. */
export const MULTIPART_PART = 1;
/** Bytes of the part are in `data`. */
export const MULTIPART_DATA = 2;
/** The part is complete. */
export const MULTIPART_PART_END = 3;
/** The last boundary was read; what follows is ignored. */
export const MULTIPART_END = 4;

/** What {@link MultipartParser.next} says. */
export type MultipartEvent =
  | typeof MULTIPART_NEED_DATA
  | typeof MULTIPART_PART
  | typeof MULTIPART_DATA
  | typeof MULTIPART_PART_END
  | typeof MULTIPART_END;

/** RFC 2046 §5.1.1. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
/** A boundary with `=`, `/`, `:` or the like belongs in quotes; some senders forget them. */
const UNQUOTED = /^[ \t]*multipart\/([^\s;]+)[ \t]*;[ \t]*boundary=([0-9A-Za-z'()+_,\-./:=?]+)[ \t]*$/i;

/** What the Content-Type of a multipart body says. */
export interface MultipartType {
  /** `form-data`, `mixed` …, in lower case. */
  readonly subtype: string;
  readonly boundary: string;
}

/**
 * Takes the boundary out of a Content-Type.
 *
 * @throws MultipartError `AIO_MULTIPART_TYPE` when it is not multipart, `AIO_MULTIPART_BOUNDARY` when it has no boundary, or one that RFC 2046
 *   §5.1.1 does not allow: 1 to 70 characters of a small set.
 */
export function parseMultipartType(contentType: string | undefined): MultipartType {
  const parsed = contentType === undefined ? undefined : parseMediaType(contentType);
  const unquoted = parsed === undefined && contentType !== undefined ? UNQUOTED.exec(contentType) : undefined;
  const type = parsed?.type ?? (unquoted ? `multipart/${unquoted[1]!.toLowerCase()}` : undefined);
  if (type === undefined || !type.startsWith('multipart/')) {
    throw new MultipartError('AIO_MULTIPART_TYPE', 'The Content-Type is not a well-formed multipart type.');
  }
  const boundary = parsed?.parameters.get('boundary') ?? unquoted?.[2];
  if (boundary === undefined) {
    throw new MultipartError('AIO_MULTIPART_BOUNDARY', 'The Content-Type has no boundary.');
  }
  checkBoundary(boundary);
  return { subtype: type.slice('multipart/'.length), boundary };
}

function checkBoundary(boundary: string): void {
  if (BOUNDARY.test(boundary)) return;
  throw new MultipartError(
    'AIO_MULTIPART_BOUNDARY',
    `The boundary ${shown(boundary)} is not allowed: 1 to 70 letters, digits and '()+_,-./:=? are.`,
  );
}

const PREAMBLE = 0;
const DELIMITER = 1;
const DELIMITER_DASH = 2;
const DELIMITER_CR = 3;
const HEAD = 4;
const BODY = 5;
const EPILOGUE = 6;

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const SP = 0x20;
const HTAB = 0x09;

const EMPTY = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');
/** The line end before a boundary, which the line end of the empty line may be, or the beginning of the body. */
const LINE_END = 2;
/** White space behind a boundary, which RFC 2046 lets gateways add. */
const MAX_PADDING = 64;

/**
 * Reads a multipart body (RFC 2046 §5.1) as bytes come, without I/O: `push()` a piece, then take events from `next()` until it wants more. However
 * the bytes are split, parts, header lines and the joined data are the same.
 *
 * Lines end in CRLF. A boundary counts only as a whole line, with white space behind it: `--boundaryX` inside a part is data. A body
 * that ends before its last boundary is an error. Nothing is buffered but header lines, up to their limit; data is handed over as views of
 * the pieces.
 */
export class MultipartParser {
  /** After {@link MULTIPART_PART}. */
  head: PartHead;
  /** After {@link MULTIPART_DATA}: a view of a piece, or of the boundary that a piece seemed to begin. */
  data: Uint8Array;
  private readonly budget: MultipartBudget;
  private readonly limits: MultipartLimits;
  private readonly delimiter: Buffer;
  private readonly search: ByteSearch;
  private readonly headSearch: ByteSearch;
  private state: number;
  private chunk: Buffer;
  private at: number;
  private size: number;
  private partSize: number;
  /** Whether a part is open. */
  private inPart: boolean;
  /** Bytes at the beginning of the delimiter that count as seen, but were not part of the data. */
  private ghost: number;
  /** Data behind `data`. */
  private second: Uint8Array | undefined;
  private readonly padding: Buffer;
  private paddingSize: number;
  /** Header lines that began in an earlier piece. */
  private headBytes: Buffer[];
  private headSize: number;

  /** @throws MultipartError `AIO_MULTIPART_BOUNDARY` */
  constructor(boundary: string, budget: MultipartBudget) {
    checkBoundary(boundary);
    this.head = NO_HEAD;
    this.data = EMPTY;
    this.budget = budget;
    this.limits = budget.limits;
    this.delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.search = new ByteSearch(this.delimiter);
    this.search.reset(LINE_END);
    this.headSearch = new ByteSearch(HEAD_END);
    this.state = PREAMBLE;
    this.chunk = EMPTY;
    this.at = 0;
    this.size = 0;
    this.partSize = 0;
    this.inPart = false;
    this.ghost = 0;
    this.second = undefined;
    this.padding = Buffer.alloc(MAX_PADDING);
    this.paddingSize = 0;
    this.headBytes = [];
    this.headSize = 0;
  }

  /** Whether the last boundary was read. */
  get ended(): boolean {
    return this.state === EPILOGUE;
  }

  /** Gives the next piece; all events of the one before must have been taken. It must not change while events are taken. */
  push(piece: Uint8Array): void {
    this.size += piece.length;
    if (this.size > this.limits.maxSize) {
      throw new MultipartError(
        'AIO_MULTIPART_TOO_LARGE',
        `The multipart body is larger than ${this.limits.maxSize} bytes.`,
      );
    }
    this.chunk = Buffer.isBuffer(piece)
      ? piece
      : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    this.at = 0;
  }

  /**
   * There are no more bytes.
   *
   * @throws MultipartError `AIO_MULTIPART_TRUNCATED` when the last boundary is missing.
   */
  finish(): void {
    if (this.state === EPILOGUE) return;
    throw new MultipartError(
      'AIO_MULTIPART_TRUNCATED',
      this.state === PREAMBLE
        ? 'The multipart body does not have its boundary.'
        : 'The multipart body ends before its last boundary.',
    );
  }

  /** @throws MultipartError */
  next(): MultipartEvent {
    if (this.second !== undefined) {
      this.data = this.second;
      this.second = undefined;
      return MULTIPART_DATA;
    }
    const { chunk } = this;
    for (;;) {
      if (this.state === EPILOGUE) return MULTIPART_END;
      if (this.at === chunk.length) {
        this.chunk = EMPTY;
        this.at = 0;
        return MULTIPART_NEED_DATA;
      }
      switch (this.state) {
        case PREAMBLE: {
          const end = this.search.push(chunk, this.at);
          this.at = end === -1 ? chunk.length : end;
          if (end !== -1) this.beginDelimiter();
          break;
        }
        case BODY:
          if (this.readBody(chunk)) return MULTIPART_DATA;
          break;
        case HEAD:
          if (this.readHead(chunk)) return MULTIPART_PART;
          break;
        default: {
          const event = this.readDelimiter(chunk[this.at]!);
          if (event !== MULTIPART_NEED_DATA) return event;
        }
      }
    }
  }

  private beginDelimiter(): void {
    this.paddingSize = 0;
    this.state = DELIMITER;
  }

  /** Reads on to the next boundary; `true` when there is data to hand over. */
  private readBody(chunk: Buffer): boolean {
    const { search, delimiter } = this;
    const start = this.at;
    const held = search.matched;
    const end = search.push(chunk, start);
    let kept: number;
    if (end === -1) {
      this.at = chunk.length;
      kept = search.matched;
    } else {
      this.at = end;
      kept = delimiter.length;
      this.beginDelimiter();
    }
    // What the pieces before ended with is `held` bytes of the delimiter. Of these and the bytes that were read now, all but the last `kept`
    // are data.
    const size = held + this.at - start - kept;
    if (size === 0) return false;
    const ghost = Math.min(this.ghost, size);
    this.ghost -= ghost;
    this.countData(size - ghost);
    const fromDelimiter = Math.min(held, size);
    if (fromDelimiter > ghost) {
      this.data = delimiter.subarray(ghost, fromDelimiter);
      if (size > held) this.second = chunk.subarray(start, start + size - held);
      return true;
    }
    if (size <= held) return false;
    this.data = chunk.subarray(start, start + size - held);
    return true;
  }

  private countData(size: number): void {
    this.partSize += size;
    if (this.partSize > this.limits.maxPartSize) {
      throw new MultipartError(
        'AIO_MULTIPART_PART_TOO_LARGE',
        `A part is larger than ${this.limits.maxPartSize} bytes.`,
      );
    }
  }

  /** Looks at one byte behind a boundary; `MULTIPART_NEED_DATA` when it says nothing yet. */
  private readDelimiter(byte: number): MultipartEvent {
    if (this.state === DELIMITER_CR) {
      if (byte !== LF) return this.notADelimiter('\r');
      this.at++;
      this.state = HEAD;
      this.headSearch.reset(LINE_END);
      this.headSize = 0;
      return this.endPart();
    }
    if (this.state === DELIMITER_DASH) {
      if (byte !== DASH) return this.notADelimiter('-');
      this.at++;
      this.state = EPILOGUE;
      return this.endPart();
    }
    if (byte === CR) this.state = DELIMITER_CR;
    else if (byte === DASH && this.paddingSize === 0) this.state = DELIMITER_DASH;
    else if (byte === SP || byte === HTAB) {
      if (this.paddingSize === MAX_PADDING) {
        throw new MultipartError(
          'AIO_MULTIPART_BOUNDARY',
          `More than ${MAX_PADDING} characters of white space follow a boundary.`,
        );
      }
      this.padding[this.paddingSize++] = byte;
    } else return this.notADelimiter('');
    this.at++;
    return MULTIPART_NEED_DATA;
  }

  private endPart(): MultipartEvent {
    if (!this.inPart) return MULTIPART_NEED_DATA;
    this.inPart = false;
    return MULTIPART_PART_END;
  }

  /** A line that only begins as a boundary. What follows `last` is still to be looked at: a boundary may begin there. */
  private notADelimiter(last: string): MultipartEvent {
    this.search.reset(0);
    if (!this.inPart) {
      this.state = PREAMBLE;
      return MULTIPART_NEED_DATA;
    }
    this.state = BODY;
    const data = Buffer.concat([
      this.delimiter.subarray(this.ghost),
      this.padding.subarray(0, this.paddingSize),
      Buffer.from(last),
    ]);
    this.ghost = 0;
    this.countData(data.length);
    this.data = data;
    return MULTIPART_DATA;
  }

  /** Reads on to the end of the header lines; `true` when they are complete. */
  private readHead(chunk: Buffer): boolean {
    const start = this.at;
    const end = this.headSearch.push(chunk, start);
    const stop = end === -1 ? chunk.length : end;
    this.headSize += stop - start;
    const { maxHeadSize } = this.limits;
    if (this.headSize > maxHeadSize + LINE_END) {
      throw new MultipartError(
        'AIO_MULTIPART_HEADERS_TOO_LARGE',
        `The header lines of a part are larger than ${maxHeadSize} bytes.`,
      );
    }
    this.at = stop;
    if (end === -1) {
      // A copy: a view would keep the whole piece.
      this.headBytes.push(Buffer.from(chunk.subarray(start, stop)));
      return false;
    }
    let text: string;
    if (this.headBytes.length === 0) text = chunk.toString('latin1', start, stop - LINE_END);
    else {
      this.headBytes.push(chunk.subarray(start, stop));
      const bytes = Buffer.concat(this.headBytes);
      this.headBytes = [];
      text = bytes.toString('latin1', 0, bytes.length - LINE_END);
    }
    this.budget.countPart();
    this.budget.countHead(text.length);
    this.head = new PartHead(text, this.limits.maxHeaders);
    this.state = BODY;
    this.inPart = true;
    this.partSize = 0;
    this.search.reset(LINE_END);
    this.ghost = LINE_END;
    return true;
  }
}

const NO_HEAD = new PartHead('', 0);
