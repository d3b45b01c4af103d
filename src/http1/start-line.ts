import { isAuthorityForm, isHostValue } from './authority.ts';
import { ASTERISK, CR, equalsIgnoreCase, FIELD_VALUE, LF, SLASH, SP, TARGET, TOKEN, ZERO } from './bytes.ts';
import type { Fault } from './protocol-error.ts';

/** Reads the first line of a message, in whatever pieces it comes. Offsets are into the bytes given to `scan`. */
export interface StartLineScanner {
  fault: Fault | undefined;
  done: boolean;
  minorVersion: number;
  /** Something else than empty lines was seen: a message has begun. */
  readonly begun: boolean;
  /** Where the line starts, behind empty lines. */
  readonly lineStart: number;
  reset(): void;
  rebase(distance: number): void;
  /** Reads on from `at`; returns where it stopped (behind the line when `done`), or -1 with `fault` set. */
  scan(bytes: Uint8Array, at: number, end: number): number;
}

const BEFORE = 0;
const BEFORE_LF = 1;
const METHOD = 2;
const TARGET_START = 3;
const IN_TARGET = 4;
const VERSION = 5;
const VERSION_END = 6;
const LINE_LF = 7;
const REASON = 8;
const STATUS = 9;
const STATUS_END = 10;

/** RFC 9112 §2.2: at least one empty line before a request is to be ignored; old clients send one behind a POST body. */
const MAX_EMPTY_LINES = 2;
const MAX_METHOD_SIZE = 64;
const TLS_HANDSHAKE = 0x16;
const VERSION_SIZE = 8;
const LETTER_H = 0x48;

/** `method SP request-target SP HTTP-version CRLF`, RFC 9112 §3. */
export class RequestLineScanner implements StartLineScanner {
  fault: Fault | undefined;
  done: boolean;
  minorVersion: number;
  methodStart: number;
  methodEnd: number;
  targetEnd: number;
  #state: number;
  #emptyLines: number;
  #versionStart: number;
  readonly #maxLineSize: number;

  constructor(maxLineSize: number) {
    this.fault = undefined;
    this.done = false;
    this.minorVersion = 1;
    this.methodStart = 0;
    this.methodEnd = 0;
    this.targetEnd = 0;
    this.#state = BEFORE;
    this.#emptyLines = 0;
    this.#versionStart = 0;
    this.#maxLineSize = maxLineSize;
  }

  get begun(): boolean {
    return this.#state !== BEFORE;
  }

  get lineStart(): number {
    return this.methodStart;
  }

  /** The target starts behind the one space that ends the method. */
  get targetStart(): number {
    return this.methodEnd + 1;
  }

  reset(): void {
    this.fault = undefined;
    this.done = false;
    this.#state = BEFORE;
    this.#emptyLines = 0;
  }

  rebase(distance: number): void {
    this.methodStart -= distance;
    this.methodEnd -= distance;
    this.targetEnd -= distance;
    this.#versionStart -= distance;
  }

  scan(bytes: Uint8Array, at: number, end: number): number {
    const target = TARGET; // a local, as in FieldScanner
    let index = at;
    while (index < end) {
      switch (this.#state) {
        case BEFORE: {
          const byte = bytes[index]!;
          if (TOKEN[byte] === 1) {
            this.methodStart = index++;
            this.#state = METHOD;
            break;
          }
          if (byte !== CR) return this.#fail(byte === TLS_HANDSHAKE ? 'tlsOnPlainPort' : faultBefore(byte));
          if (++this.#emptyLines > MAX_EMPTY_LINES) return this.#fail('badRequestLine');
          index++;
          this.#state = BEFORE_LF;
          break;
        }
        case BEFORE_LF:
          if (bytes[index++] !== LF) return this.#fail('bareCarriageReturn');
          this.#state = BEFORE;
          break;
        case METHOD: {
          while (index < end && TOKEN[bytes[index]!] === 1) index++;
          if (index - this.methodStart > MAX_METHOD_SIZE) return this.#fail('badMethod');
          if (index === end) break;
          if (bytes[index] !== SP) return this.#fail(faultInMethod(bytes[index]!));
          this.methodEnd = index++;
          this.#state = TARGET_START;
          break;
        }
        case TARGET_START:
          if (TARGET[bytes[index]!] !== 1) return this.#fail(faultAtTarget(bytes[index]!));
          this.#state = IN_TARGET;
          break;
        case IN_TARGET: {
          while (index < end && target[bytes[index]!] === 1) index++;
          if (index - this.methodStart > this.#maxLineSize) return this.#fail('lineTooLong');
          if (index === end) break;
          if (bytes[index] !== SP) return this.#fail(faultInTarget(bytes[index]!));
          this.targetEnd = index++;
          this.#versionStart = index;
          this.#state = VERSION;
          break;
        }
        case VERSION: {
          const stop = Math.min(end, this.#versionStart + VERSION_SIZE);
          if (index === this.#versionStart && bytes[index] !== LETTER_H) {
            return this.#fail(faultAtVersion(bytes[index]!));
          }
          // A line that ends early must fail now, not wait for bytes that never come.
          while (index < stop && bytes[index]! > SP) index++;
          if (index < stop) return this.#fail(faultInVersion(bytes, this.#versionStart, index));
          if (index - this.#versionStart < VERSION_SIZE) break;
          const version = parseVersion(bytes, this.#versionStart);
          if (version < 0) return this.#fail('badVersion');
          if (version !== 10 && version !== 11) return this.#fail('unsupportedVersion');
          this.minorVersion = version - 10;
          this.#state = VERSION_END;
          break;
        }
        case VERSION_END:
          if (bytes[index] !== CR) return this.#fail(bytes[index] === LF ? 'bareLineFeed' : 'badVersion');
          if (index - this.methodStart > this.#maxLineSize) return this.#fail('lineTooLong');
          index++;
          this.#state = LINE_LF;
          break;
        default: {
          if (bytes[index] !== LF) return this.#fail('bareCarriageReturn');
          if (!this.#isTargetForm(bytes)) return this.#fail('badTarget');
          this.done = true;
          return index + 1;
        }
      }
    }
    return index;
  }

  /** The form of the target must be one that the method may have, RFC 9112 §3.2. */
  #isTargetForm(bytes: Uint8Array): boolean {
    const start = this.targetStart;
    const size = this.methodEnd - this.methodStart;
    const isConnect = size === 7 && startsWith(bytes, this.methodStart, 'CONNECT');
    if (isConnect) return isAuthorityForm(bytes, start, this.targetEnd);
    if (bytes[start] === SLASH) return true;
    if (bytes[start] === ASTERISK && this.targetEnd - start === 1) {
      return size === 7 && startsWith(bytes, this.methodStart, 'OPTIONS');
    }
    return isAbsoluteForm(bytes, start, this.targetEnd);
  }

  #fail(fault: Fault): -1 {
    this.fault = fault;
    return -1;
  }
}

/** `HTTP-version SP status-code SP [ reason-phrase ] CRLF`, RFC 9112 §4. Lone LF and a missing reason are taken. */
export class StatusLineScanner implements StartLineScanner {
  fault: Fault | undefined;
  done: boolean;
  minorVersion: number;
  status: number;
  reasonStart: number;
  reasonEnd: number;
  lineStart: number;
  #state: number;
  readonly #maxLineSize: number;

  constructor(maxLineSize: number) {
    this.fault = undefined;
    this.done = false;
    this.minorVersion = 1;
    this.status = 0;
    this.reasonStart = 0;
    this.reasonEnd = 0;
    this.lineStart = 0;
    this.#state = BEFORE;
    this.#maxLineSize = maxLineSize;
  }

  get begun(): boolean {
    return this.#state !== BEFORE;
  }

  reset(): void {
    this.fault = undefined;
    this.done = false;
    this.#state = BEFORE;
  }

  rebase(distance: number): void {
    this.reasonStart -= distance;
    this.reasonEnd -= distance;
    this.lineStart -= distance;
  }

  scan(bytes: Uint8Array, at: number, end: number): number {
    let index = at;
    while (index < end) {
      switch (this.#state) {
        case BEFORE:
          if (bytes[index] !== LETTER_H) return this.#fail('badStatusLine');
          this.lineStart = index;
          this.#state = VERSION;
          break;
        case VERSION: {
          index = Math.min(end, this.lineStart + VERSION_SIZE + 1);
          if (index - this.lineStart <= VERSION_SIZE) break;
          const version = parseVersion(bytes, this.lineStart);
          if (version < 0 || bytes[index - 1] !== SP) return this.#fail('badStatusLine');
          if (version !== 10 && version !== 11) return this.#fail('badVersion');
          this.minorVersion = version - 10;
          this.#state = STATUS;
          break;
        }
        case STATUS: {
          const start = this.lineStart + VERSION_SIZE + 1;
          index = Math.min(end, start + 3);
          if (index - start < 3) break;
          this.status = parseStatus(bytes, start);
          if (this.status < 0) return this.#fail('badStatusLine');
          this.#state = STATUS_END;
          break;
        }
        case STATUS_END: {
          const byte = bytes[index]!;
          if (byte !== SP && byte !== CR && byte !== LF) return this.#fail('badStatusLine');
          if (byte === SP) index++;
          this.reasonStart = index;
          this.#state = REASON;
          break;
        }
        case REASON: {
          while (index < end && FIELD_VALUE[bytes[index]!] === 1) index++;
          if (index - this.lineStart > this.#maxLineSize) return this.#fail('lineTooLong');
          if (index === end) break;
          this.reasonEnd = index;
          if (bytes[index] === LF) return this.#finish(index + 1);
          if (bytes[index] !== CR) return this.#fail('badStatusLine');
          index++;
          this.#state = LINE_LF;
          break;
        }
        default:
          if (bytes[index] !== LF) return this.#fail('bareCarriageReturn');
          return this.#finish(index + 1);
      }
    }
    return index;
  }

  #finish(index: number): number {
    this.done = true;
    return index;
  }

  #fail(fault: Fault): -1 {
    this.fault = fault;
    return -1;
  }
}

/** A version that ends early: `HTTP/2` is at least the name of another one. */
function faultInVersion(bytes: Uint8Array, start: number, end: number): Fault {
  const isMajorAlone = end - start === 6 && startsWith(bytes, start, 'HTTP/');
  const major = bytes[start + 5]! - ZERO;
  return isMajorAlone && major >= 2 && major <= 9 ? 'unsupportedVersion' : 'badVersion';
}

/** Ten times the major plus the minor version of `HTTP/d.d`, or -1. */
function parseVersion(bytes: Uint8Array, start: number): number {
  if (!startsWith(bytes, start, 'HTTP/') || bytes[start + 6] !== 0x2e) return -1;
  const major = bytes[start + 5]! - ZERO;
  const minor = bytes[start + 7]! - ZERO;
  return major < 0 || major > 9 || minor < 0 || minor > 9 ? -1 : major * 10 + minor;
}

function parseStatus(bytes: Uint8Array, start: number): number {
  let status = 0;
  for (let index = start; index < start + 3; index++) {
    const digit = bytes[index]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    status = status * 10 + digit;
  }
  return status >= 100 ? status : -1;
}

function startsWith(bytes: Uint8Array, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** `http://` or `https://` and a valid authority without user information (RFC 9110 §4.2.4 treats that as an error). */
function isAbsoluteForm(bytes: Uint8Array, start: number, end: number): boolean {
  let authority: number;
  if (end - start > 7 && equalsIgnoreCase(bytes, start, 'http://')) authority = start + 7;
  else if (end - start > 8 && equalsIgnoreCase(bytes, start, 'https://')) authority = start + 8;
  else return false;
  let stop = authority;
  while (stop < end && bytes[stop] !== SLASH && bytes[stop] !== 0x3f) stop++;
  return isHostValue(bytes, authority, stop);
}

function faultBefore(byte: number): Fault {
  return byte === LF ? 'bareLineFeed' : 'badMethod';
}

function faultInMethod(byte: number): Fault {
  return byte === CR || byte === LF ? 'badRequestLine' : 'badMethod';
}

function faultAtTarget(byte: number): Fault {
  return byte === SP || byte === CR || byte === LF ? 'badRequestLine' : 'badTarget';
}

function faultInTarget(byte: number): Fault {
  return byte === CR || byte === LF ? 'missingVersion' : 'badTarget';
}

function faultAtVersion(byte: number): Fault {
  if (byte === CR || byte === LF) return 'missingVersion';
  return byte === SP ? 'badRequestLine' : 'badVersion';
}
