import { isFieldValue, isReasonPhrase, isToken, reasonPhrase } from '../message/index.ts';
import { isTrailerName } from './trailer.ts';

/** How an answer tells where its body ends. */
export const FRAME_NONE = 0;
export const FRAME_LENGTH = 1;
export const FRAME_CHUNKED = 2;
/** HTTP/1.0 without a length: the end of the connection ends the body. */
export const FRAME_UNTIL_CLOSE = 3;
export type Frame = typeof FRAME_NONE | typeof FRAME_LENGTH | typeof FRAME_CHUNKED | typeof FRAME_UNTIL_CLOSE;

/** The Connection field of an answer. */
export const CONNECTION_DEFAULT = 0;
export const CONNECTION_CLOSE = 1;
export const CONNECTION_KEEP_ALIVE = 2;
export type ConnectionLine =
  | typeof CONNECTION_DEFAULT
  | typeof CONNECTION_CLOSE
  | typeof CONNECTION_KEEP_ALIVE;

const CONNECTION_LINES: readonly string[] = ['', 'Connection: close\r\n', 'Connection: keep-alive\r\n'];

const MIN_STATUS = 100;
const MAX_STATUS = 999;

/** Lines that were checked before: an application uses few different ones. The bound keeps hostile variety out of memory. */
const MAX_CACHED = 512;
const statusLines: string[] = [];
const contentTypeLines = new Map<string, string>();
const checkedNames = new Set<string>();

/**
 * Thrown before a byte is sent when something given for a head could not stand there: it would end the line and start another
 * (response splitting), or could not be encoded.
 */
export class HeadError extends TypeError {
  override readonly name: string = 'HeadError';
  readonly code: string = 'AIO_BAD_HEAD';
}

/** `HTTP/1.1 200 OK` with its line end. A response carries the server's own version (RFC 9110 §6.2). */
export function statusLine(status: number, reason: string | undefined): string {
  if (reason === undefined) {
    const known = statusLines[status];
    if (known !== undefined) return known;
  }
  if (!Number.isInteger(status) || status < MIN_STATUS || status > MAX_STATUS) {
    throw new HeadError(
      `Status must be an integer from ${MIN_STATUS} to ${MAX_STATUS}, got ${String(status)}`,
    );
  }
  if (reason === undefined) return (statusLines[status] = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`);
  if (!isReasonPhrase(reason)) {
    throw new HeadError(
      `Reason must be latin1 text without control characters, got ${JSON.stringify(reason)}`,
    );
  }
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

/** The line of a response whose only field of its own is its Content-Type. */
export function contentTypeLine(contentType: string): string {
  const known = contentTypeLines.get(contentType);
  if (known !== undefined) return known;
  const line = `Content-Type: ${checkedValue('Content-Type', contentType)}\r\n`;
  if (contentTypeLines.size >= MAX_CACHED) contentTypeLines.clear();
  contentTypeLines.set(contentType, line);
  return line;
}

/**
 * One field line.
 * @throws HeadError when the name is no token or the value holds CR, LF, NUL, another control character or what is not latin1.
 */
export function fieldLine(name: string, value: string): string {
  if (!checkedNames.has(name)) {
    if (!isToken(name)) throw new HeadError(`Header name must be a token, got ${JSON.stringify(name)}`);
    if (checkedNames.size >= MAX_CACHED) checkedNames.clear();
    checkedNames.add(name);
  }
  return `${name}: ${checkedValue(name, value)}\r\n`;
}

function checkedValue(name: string, value: string): string {
  if (typeof value === 'string' && isFieldValue(value)) return value;
  // Not the value itself: it may be a token that was read with the end of its line.
  const wrong = typeof value === 'string' ? /[^\t\x20-\x7e\x80-\xff]/.exec(value) : null;
  const found =
    wrong === null ? `got ${typeof value}` : `found ${JSON.stringify(wrong[0])} at ${wrong.index}`;
  throw new HeadError(`Value of header ${name} must be latin1 text without control characters, ${found}`);
}

/** Fields that the engine writes itself; what a sender sets of them is noted here instead of going out twice. */
export class SenderFields {
  lines: string;
  hasContentType: boolean;
  hasDate: boolean;
  hasServer: boolean;
  /** Content-Length as the sender gave it, or -1. */
  contentLength: number;
  connectionClose: boolean;
  /** The sender asked for `Transfer-Encoding: chunked`. */
  chunked: boolean;

  /**
   * Checks and writes `[name, value, name, value …]`.
   * @throws HeadError as `fieldLine` does, and for a Content-Length or Transfer-Encoding that is not valid.
   */
  constructor(raw: readonly string[], isUpgrade: boolean) {
    this.lines = '';
    this.hasContentType = false;
    this.hasDate = false;
    this.hasServer = false;
    this.contentLength = -1;
    this.connectionClose = false;
    this.chunked = false;
    for (let index = 0; index < raw.length; index += 2) {
      const name = raw[index]!;
      if (!this.#ownMeaning(name, raw[index + 1]!, isUpgrade)) this.lines += fieldLine(name, raw[index + 1]!);
    }
  }

  /** Notes fields with a meaning for the engine; `true` when the engine writes the line itself. */
  #ownMeaning(name: string, value: string, isUpgrade: boolean): boolean {
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'date') this.hasDate = true;
        return false;
      case 6:
        if (name.toLowerCase() === 'server') this.hasServer = true;
        return false;
      case 10:
        if (name.toLowerCase() !== 'connection') return false;
        if (isUpgrade) return false;
        fieldLine(name, value);
        if (/(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(value)) this.connectionClose = true;
        return true;
      case 12:
        if (name.toLowerCase() === 'content-type') this.hasContentType = true;
        return false;
      case 14:
        if (name.toLowerCase() !== 'content-length') return false;
        this.#contentLength(value);
        return true;
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') return false;
        if (value.toLowerCase() !== 'chunked') {
          throw new HeadError(`Transfer-Encoding can only be "chunked", got ${JSON.stringify(value)}`);
        }
        this.chunked = true;
        return true;
      default:
        return false;
    }
  }

  #contentLength(value: string): void {
    const length = /^[0-9]{1,16}$/.test(value) ? Number(value) : -1;
    if (length < 0 || !Number.isSafeInteger(length)) {
      throw new HeadError(`Content-Length must be a decimal number of bytes, got ${JSON.stringify(value)}`);
    }
    if (this.contentLength !== -1 && this.contentLength !== length) {
      throw new HeadError(`Content-Length is given twice: ${this.contentLength} and ${length}`);
    }
    this.contentLength = length;
  }
}

/** The lines that end a head: framing, what the engine adds, and the empty line. */
export function headEnd(
  frame: Frame,
  length: number,
  dateLine: string,
  serverLine: string,
  connection: ConnectionLine,
): string {
  const framing =
    frame === FRAME_LENGTH
      ? `Content-Length: ${length}\r\n`
      : frame === FRAME_CHUNKED
        ? 'Transfer-Encoding: chunked\r\n'
        : '';
  return `${framing}${dateLine}${serverLine}${CONNECTION_LINES[connection]!}\r\n`;
}

/** `size CRLF` before the data of a chunk (RFC 9112 §7.1). */
export function chunkHead(size: number): string {
  return `${size.toString(16)}\r\n`;
}

export const CHUNK_END = '\r\n';
/** The last chunk and an empty trailer section. */
export const LAST_CHUNK = '0\r\n\r\n';

/**
 * The last chunk with trailers, `[name, value, …]`.
 *
 * @throws HeadError for a field that could not stand in a head, or must not stand behind a body.
 */
export function lastChunk(trailers: readonly string[]): string {
  let lines = '0\r\n';
  for (let index = 0; index < trailers.length; index += 2) {
    const name = trailers[index]!;
    if (!isTrailerName(name)) throw new HeadError(`Header ${name} is not allowed in a trailer section`);
    lines += fieldLine(name, trailers[index + 1]!);
  }
  return `${lines}\r\n`;
}
