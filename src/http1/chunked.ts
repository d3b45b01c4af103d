import { BACKSLASH, CR, DQUOTE, EQUALS, HEX, HTAB, LF, QUOTED, SEMICOLON, SP, TOKEN } from './bytes.ts';
import type { Limits } from './limits.ts';
import type { Fault } from './protocol-error.ts';

/** What `scan` came to. */
export const CHUNK_MORE = 0;
/** `chunkStart` to `chunkEnd` of the bytes are data. */
export const CHUNK_DATA = 1;
/** The last chunk was read; a trailer section follows. */
export const CHUNK_LAST = 2;
/** `fault` says what is wrong. */
export const CHUNK_FAULT = 3;

const SIZE_START = 0;
const SIZE = 1;
const SIZE_BLANK = 2;
const EXT_NAME_START = 3;
const EXT_NAME = 4;
const EXT_NAME_BLANK = 5;
const EXT_VALUE_START = 6;
const EXT_VALUE = 7;
const EXT_QUOTED = 8;
const EXT_QUOTED_PAIR = 9;
const EXT_VALUE_BLANK = 10;
const SIZE_LF = 11;
const DATA = 12;
const DATA_CR = 13;
const DATA_LF = 14;

/** Digits of the largest size that a number holds exactly (2^53 - 1); leading zeros count. */
const MAX_SIZE_DIGITS = 13;

/**
 * Chunked transfer coding, RFC 9112 §7.1: from size line to size line, in whatever pieces the bytes come. Extensions are checked
 * and dropped (§7.1.1), and bounded for the message as a whole.
 */
export class ChunkedDecoder {
  fault: Fault | undefined;
  chunkStart: number;
  chunkEnd: number;
  /** Where `scan` stopped. */
  at: number;
  #state: number;
  #remaining: number;
  #digits: number;
  #extensionSize: number;
  readonly #maxExtensionSize: number;

  constructor(limits: Limits) {
    this.fault = undefined;
    this.chunkStart = 0;
    this.chunkEnd = 0;
    this.at = 0;
    this.#state = SIZE_START;
    this.#remaining = 0;
    this.#digits = 0;
    this.#extensionSize = 0;
    this.#maxExtensionSize = limits.maxChunkExtensionSize;
  }

  reset(): void {
    this.fault = undefined;
    this.#state = SIZE_START;
    this.#extensionSize = 0;
  }

  scan(bytes: Uint8Array, from: number, end: number): number {
    let index = from;
    while (index < end) {
      const byte = bytes[index]!;
      switch (this.#state) {
        case SIZE_START:
          if (HEX[byte] === 255) return this.#fail('badChunkSize');
          this.#remaining = HEX[byte]!;
          this.#digits = 1;
          this.#state = SIZE;
          break;
        case SIZE:
          if (HEX[byte] !== 255) {
            if (++this.#digits > MAX_SIZE_DIGITS) return this.#fail('chunkSizeTooLarge');
            this.#remaining = this.#remaining * 16 + HEX[byte]!;
            break;
          }
          if (byte === CR) this.#state = SIZE_LF;
          else if (byte === SEMICOLON) this.#state = EXT_NAME_START;
          else if (isBlank(byte)) this.#state = SIZE_BLANK;
          else return this.#fail(byte === LF ? 'bareLineFeed' : 'badChunkSize');
          break;
        case SIZE_LF:
          if (byte !== LF) return this.#fail('bareCarriageReturn');
          if (this.#remaining === 0) {
            this.#state = SIZE_START;
            this.at = index + 1;
            return CHUNK_LAST;
          }
          this.#state = DATA;
          break;
        case DATA: {
          const size = Math.min(end - index, this.#remaining);
          this.chunkStart = index;
          this.chunkEnd = index + size;
          this.#remaining -= size;
          if (this.#remaining === 0) this.#state = DATA_CR;
          this.at = this.chunkEnd;
          return CHUNK_DATA;
        }
        case DATA_CR:
          if (byte !== CR) return this.#fail('missingChunkEnd');
          this.#state = DATA_LF;
          break;
        case DATA_LF:
          if (byte !== LF) return this.#fail('missingChunkEnd');
          this.#state = SIZE_START;
          break;
        default:
          if (++this.#extensionSize > this.#maxExtensionSize) return this.#fail('chunkExtensionsTooLong');
          if (!this.#extension(byte)) return this.#fail(byte === LF ? 'bareLineFeed' : 'badChunkExtension');
      }
      index++;
    }
    this.at = index;
    return CHUNK_MORE;
  }

  /** `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`; `false` when the byte does not fit. */
  #extension(byte: number): boolean {
    switch (this.#state) {
      case SIZE_BLANK:
        if (byte === SEMICOLON) this.#state = EXT_NAME_START;
        else return isBlank(byte);
        return true;
      case EXT_NAME_START:
        if (TOKEN[byte] === 1) this.#state = EXT_NAME;
        else return isBlank(byte);
        return true;
      case EXT_NAME:
        if (TOKEN[byte] === 1) return true;
        if (byte === EQUALS) this.#state = EXT_VALUE_START;
        else if (isBlank(byte)) this.#state = EXT_NAME_BLANK;
        else return this.#extensionEnd(byte);
        return true;
      case EXT_NAME_BLANK:
        if (byte === EQUALS) this.#state = EXT_VALUE_START;
        else if (byte === SEMICOLON) this.#state = EXT_NAME_START;
        else return isBlank(byte);
        return true;
      case EXT_VALUE_START:
        if (byte === DQUOTE) this.#state = EXT_QUOTED;
        else if (TOKEN[byte] === 1) this.#state = EXT_VALUE;
        else return isBlank(byte);
        return true;
      case EXT_VALUE:
        if (TOKEN[byte] === 1) return true;
        if (isBlank(byte)) this.#state = EXT_VALUE_BLANK;
        else return this.#extensionEnd(byte);
        return true;
      case EXT_QUOTED:
        if (byte === DQUOTE) this.#state = EXT_VALUE_BLANK;
        else if (byte === BACKSLASH) this.#state = EXT_QUOTED_PAIR;
        else return QUOTED[byte] === 1;
        return true;
      case EXT_QUOTED_PAIR:
        this.#state = EXT_QUOTED;
        return QUOTED[byte] === 1;
      default:
        // Behind a value: white space may only stand before the next extension.
        if (isBlank(byte)) return true;
        return this.#extensionEnd(byte);
    }
  }

  #extensionEnd(byte: number): boolean {
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXT_NAME_START;
    else return false;
    return true;
  }

  #fail(fault: Fault): typeof CHUNK_FAULT {
    this.fault = fault;
    return CHUNK_FAULT;
  }
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
