import type { CIMultiDictProxy } from '../message/index.ts';
import { CHUNK_DATA, CHUNK_FAULT, CHUNK_MORE, ChunkedDecoder } from './chunked.ts';
import { FieldScanner } from './field-scanner.ts';
import { Framing } from './framing.ts';
import { FieldSection, type ParsedRequest, type ParsedResponse } from './head.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { type Fault, ProtocolError } from './protocol-error.ts';
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  BODY_NONE,
  type BodyKind,
  RequestRole,
  ResponseRole,
  type Role,
} from './role.ts';
import { TRAILER_SINK } from './trailer.ts';

/** More bytes are needed: `feed` some, or say `finish` when there are none. */
export const NEED_DATA = 0;
/** A head is complete: `parser.head`. */
export const HEAD = 1;
/** A piece of the body: `parser.data`. */
export const DATA = 2;
/** The message is complete; `parser.trailers` if it had any. The next event belongs to the next message. */
export const END = 3;
/** The peer broke the protocol: `parser.error`. The parser gives nothing else from now on. */
export const ERROR = 4;
export type ParserEvent = typeof NEED_DATA | typeof HEAD | typeof DATA | typeof END | typeof ERROR;

const START_LINE = 0;
const FIELDS = 1;
const BODY = 2;
const CHUNKS = 3;
const TRAILERS = 4;
const UNTIL_CLOSE = 5;
const FINISHED = 6;
const FAILED = 7;

const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * HTTP/1.1 from bytes to events, without any I/O (RFC 9112). Feed it what was read, then call `next()` until it wants more. The caller
 * decides when to go on, so a pipelined request is not even looked at before the one in front of it is answered.
 *
 * However the bytes are split, the events say the same (pieces of a body excepted), and every byte of a head is looked at
 * once. What is not understood yet is kept in one buffer, bounded by the limits and what is fed at once.
 */
export abstract class Parser<Head> {
  /** The head of the last `HEAD` event. */
  head!: Head;
  /** Bytes of the last `DATA` event: a view on what was fed, not a copy. */
  data: Buffer;
  /** Trailer fields of the message that ended last. */
  trailers: CIMultiDictProxy | undefined;
  error: ProtocolError | undefined;
  protected readonly role: Role<Head>;
  #state: number;
  #bytes: Buffer;
  #at: number;
  #end: number;
  /** Where the unfinished head or trailer section starts, or -1. */
  #mark: number;
  #fieldsAt: number;
  /** `#bytes` is ours and may be appended to. */
  #owned: boolean;
  #remaining: number;
  #kind: BodyKind;
  readonly #limits: Limits;
  readonly #framing: Framing;
  readonly #fields: FieldScanner;
  #trailerFields: FieldScanner | undefined;
  #chunks: ChunkedDecoder | undefined;

  constructor(role: Role<Head>, limits: Limits) {
    this.role = role;
    this.data = NO_BYTES;
    this.trailers = undefined;
    this.error = undefined;
    this.#state = START_LINE;
    this.#bytes = NO_BYTES;
    this.#at = 0;
    this.#end = 0;
    this.#mark = -1;
    this.#fieldsAt = 0;
    this.#owned = false;
    this.#remaining = 0;
    this.#kind = BODY_NONE;
    this.#limits = limits;
    this.#framing = new Framing(role.isRequest);
    this.#fields = new FieldScanner(limits.maxFieldSize, limits.maxHeaders, !role.isRequest);
    this.#trailerFields = undefined;
    this.#chunks = undefined;
  }

  /** Nothing of a message was seen since the last one ended. */
  get idle(): boolean {
    return this.#state === START_LINE && this.#mark === -1 && this.#at === this.#end;
  }

  /** A head was begun and is not complete. */
  get inHead(): boolean {
    return (this.#state === START_LINE || this.#state === FIELDS) && !this.idle;
  }

  /** A body was begun and is not complete. */
  get inBody(): boolean {
    return this.#state >= BODY && this.#state <= UNTIL_CLOSE;
  }

  /** Where the body of the message in hand ends. */
  get bodyKind(): BodyKind {
    return this.#kind;
  }

  /** Bytes of a body with known length that were not seen yet; 0 for others. */
  get bodyRemaining(): number {
    return this.#state === BODY ? this.#remaining : 0;
  }

  /** Bytes that were fed and not consumed. */
  get buffered(): number {
    return this.#end - this.#at;
  }

  /** Gives the parser what was read. All events of earlier bytes may still be waiting. */
  feed(chunk: Buffer): void {
    if (this.#at === this.#end && this.#mark === -1) {
      this.#bytes = chunk;
      this.#at = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    this.#append(chunk);
  }

  /** What happens next in the bytes that were fed. */
  next(): ParserEvent {
    for (;;) {
      switch (this.#state) {
        case START_LINE:
          if (!this.#startLine()) return this.error === undefined ? NEED_DATA : ERROR;
          break;
        case FIELDS:
          if (!this.#fieldLines()) return this.error === undefined ? NEED_DATA : ERROR;
          return HEAD;
        case BODY:
          return this.#lengthBody();
        case CHUNKS: {
          const event = this.#chunkedBody();
          if (event !== NEED_DATA || this.#state === CHUNKS) return event;
          break;
        }
        case TRAILERS:
          return this.#trailerSection();
        case UNTIL_CLOSE:
          if (this.#at === this.#end) return NEED_DATA;
          return this.#take(this.#end - this.#at);
        case FINISHED:
          this.#state = START_LINE;
          return END;
        default:
          return ERROR;
      }
    }
  }

  /**
   * The connection ended: as `next()`, but where that wants more bytes a body that runs until the end is complete, and anything
   * else that was begun is an error. Call it until it gives `NEED_DATA`, which means that all was said, or `ERROR`.
   */
  finish(): ParserEvent {
    const event = this.next();
    if (event !== NEED_DATA || this.idle) return event;
    if (this.#state !== UNTIL_CLOSE) return this.#error('incompleteMessage');
    this.#state = START_LINE;
    return END;
  }

  /** Bytes that were fed and belong to nothing parsed so far: what follows an upgrade. The parser is empty afterwards. */
  takeRest(): Buffer {
    const rest = this.#bytes.subarray(this.#mark === -1 ? this.#at : this.#mark, this.#end);
    this.#bytes = NO_BYTES;
    this.#at = 0;
    this.#end = 0;
    return rest;
  }

  #startLine(): boolean {
    const line = this.role.startLine;
    if (this.#mark === -1) {
      if (this.#at === this.#end) return false;
      this.#mark = this.#at;
    }
    const at = line.scan(this.#bytes, this.#at, this.#end);
    if (at < 0) return this.#fail(line.fault!);
    this.#at = at;
    if (!line.done) {
      // Empty lines belong to no message (RFC 9112 §2.2): who sent only those is still idle.
      if (!line.begun) this.#mark = -1;
      return false;
    }
    this.#mark = line.lineStart;
    this.#fieldsAt = at;
    this.#state = FIELDS;
    return true;
  }

  #fieldLines(): boolean {
    const fields = this.#fields;
    // Nothing behind the limit is looked at, so what is wrong there cannot come before it.
    const limit = this.#mark + this.#limits.maxHeadSize;
    const at = fields.scan(this.#bytes, this.#at, Math.min(this.#end, limit), this.#framing);
    if (at < 0) return this.#fail(fields.fault!);
    this.#at = at;
    if (!fields.done) return at >= limit && this.#fail('headTooLong');
    const framing = this.#framing;
    const fault = this.role.conflict(framing);
    if (fault !== undefined) return this.#fail(fault);
    this.head = this.role.head(this.#bytes, this.#mark, this.#fieldsAt, at, framing);
    this.trailers = undefined;
    this.#mark = -1;
    this.#beginBody(this.role.bodyKind(framing), framing.contentLength);
    framing.reset();
    fields.reset();
    this.role.startLine.reset();
    return true;
  }

  #beginBody(kind: BodyKind, length: number): void {
    this.#kind = kind;
    switch (kind) {
      case BODY_NONE:
        this.#state = FINISHED;
        break;
      case BODY_LENGTH:
        this.#remaining = length;
        this.#state = BODY;
        break;
      case BODY_CHUNKED:
        if (this.#chunks === undefined) this.#chunks = new ChunkedDecoder(this.#limits);
        else this.#chunks.reset();
        this.#state = CHUNKS;
        break;
      default:
        this.#state = UNTIL_CLOSE;
    }
  }

  #lengthBody(): ParserEvent {
    const available = this.#end - this.#at;
    if (available === 0) return NEED_DATA;
    const size = Math.min(available, this.#remaining);
    this.#remaining -= size;
    if (this.#remaining === 0) this.#state = FINISHED;
    return this.#take(size);
  }

  #chunkedBody(): ParserEvent {
    if (this.#at === this.#end) return NEED_DATA;
    const chunks = this.#chunks!;
    const found = chunks.scan(this.#bytes, this.#at, this.#end);
    if (found === CHUNK_FAULT) return this.#error(chunks.fault!);
    this.#at = chunks.at;
    if (found === CHUNK_MORE) return NEED_DATA;
    if (found === CHUNK_DATA) {
      this.data = this.#bytes.subarray(chunks.chunkStart, chunks.chunkEnd);
      return DATA;
    }
    this.#state = TRAILERS;
    this.#mark = this.#at;
    return NEED_DATA;
  }

  #trailerSection(): ParserEvent {
    const fields = (this.#trailerFields ??= new FieldScanner(
      this.#limits.maxFieldSize,
      this.#limits.maxHeaders,
      !this.role.isRequest,
    ));
    const limit = this.#mark + this.#limits.maxTrailerSize;
    const at = fields.scan(this.#bytes, this.#at, Math.min(this.#end, limit), TRAILER_SINK);
    if (at < 0) return this.#error(fields.fault!);
    this.#at = at;
    if (!fields.done) return at >= limit ? this.#error('trailersTooLong') : NEED_DATA;
    const text = this.#bytes.toString('latin1', this.#mark, at);
    if (text.length > 2) this.trailers = new FieldSection(text, 0).headers;
    this.#mark = -1;
    fields.reset();
    this.#state = START_LINE;
    return END;
  }

  #take(size: number): typeof DATA {
    const at = this.#at;
    this.data = at === 0 && size === this.#bytes.length ? this.#bytes : this.#bytes.subarray(at, at + size);
    this.#at = at + size;
    return DATA;
  }

  #error(fault: Fault): typeof ERROR {
    this.#fail(fault);
    return ERROR;
  }

  #fail(fault: Fault): false {
    this.error = new ProtocolError(fault);
    this.#state = FAILED;
    this.#bytes = NO_BYTES;
    this.#at = 0;
    this.#end = 0;
    return false;
  }

  /** Keeps the unfinished part and puts `chunk` behind it. The buffer doubles, so a head that drips in stays linear. */
  #append(chunk: Buffer): void {
    const from = this.#mark === -1 ? this.#at : this.#mark;
    const kept = this.#end - from;
    const size = kept + chunk.length;
    if (!this.#owned || this.#end + chunk.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(size * 2, 1024));
      this.#bytes.copy(grown, 0, from, this.#end);
      this.#bytes = grown;
      this.#rebase(from);
      this.#owned = true;
    }
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  #rebase(distance: number): void {
    this.#at -= distance;
    this.#end -= distance;
    if (this.#mark !== -1) {
      this.#mark -= distance;
      this.#fieldsAt -= distance;
      this.role.startLine.rebase(distance);
      if (this.#state === TRAILERS) this.#trailerFields?.rebase(distance);
      else this.#fields.rebase(distance);
    }
  }
}

/** Parses what a client sends: strict, every ambiguity is refused. */
export class RequestParser extends Parser<ParsedRequest> {
  constructor(limits: Limits = DEFAULT_LIMITS) {
    super(new RequestRole(limits), limits);
  }
}

/** Parses what a server sends. Call `expect` with the method of each request before its answer. */
export class ResponseParser extends Parser<ParsedResponse> {
  readonly #responseRole: ResponseRole;

  constructor(limits: Limits = DEFAULT_LIMITS) {
    const role = new ResponseRole(limits);
    super(role, limits);
    this.#responseRole = role;
  }

  /** The next final answer is to a request with this method: HEAD and CONNECT change where it ends. */
  expect(method: string): void {
    this.#responseRole.method = method;
  }
}
