import { isToken } from '../message/index.ts';
import { isHostValue } from './authority.ts';
import { COMMA, equalsIgnoreCase, SP, ZERO } from './bytes.ts';
import type { FieldSink } from './field-scanner.ts';
import type { Fault } from './protocol-error.ts';

/** No Content-Length was given. */
export const NO_LENGTH: -1 = -1;

const NO_CODING = 0;
const CHUNKED = 1;

/** A list of lengths or codings that is longer than this is no honest one. */
const MAX_LIST_SIZE = 256;

/**
 * What the fields of a head say about where the message ends and what happens to the connection afterwards (RFC 9112 §6, §9;
 * RFC 9110 §7.8, §10.1.1), noted while the fields are scanned.
 */
export class Framing implements FieldSink {
  contentLength: number;
  hostCount: number;
  connectionClose: boolean;
  connectionKeepAlive: boolean;
  connectionUpgrade: boolean;
  /** An Upgrade field is there; it only counts together with `Connection: upgrade`. */
  upgradeOffered: boolean;
  /** `Expect` is there at all. */
  expect: boolean;
  expectContinue: boolean;
  /** Responses only: a Set-Cookie field is there. */
  setsCookies: boolean;
  /** Responses only: a Content-Encoding field is there. */
  contentCoded: boolean;
  #lengthDigits: number;
  #coding: number;
  #codingCount: number;
  readonly #isRequest: boolean;

  constructor(isRequest: boolean) {
    this.#isRequest = isRequest;
    this.contentLength = NO_LENGTH;
    this.hostCount = 0;
    this.connectionClose = false;
    this.connectionKeepAlive = false;
    this.connectionUpgrade = false;
    this.upgradeOffered = false;
    this.expect = false;
    this.expectContinue = false;
    this.setsCookies = false;
    this.contentCoded = false;
    this.#lengthDigits = 0;
    this.#coding = NO_CODING;
    this.#codingCount = 0;
  }

  reset(): void {
    this.contentLength = NO_LENGTH;
    this.hostCount = 0;
    this.connectionClose = false;
    this.connectionKeepAlive = false;
    this.connectionUpgrade = false;
    this.upgradeOffered = false;
    this.expect = false;
    this.expectContinue = false;
    this.setsCookies = false;
    this.contentCoded = false;
    this.#coding = NO_CODING;
    this.#codingCount = 0;
  }

  get chunked(): boolean {
    return this.#coding === CHUNKED;
  }

  get hasTransferEncoding(): boolean {
    return this.#codingCount > 0;
  }

  field(
    bytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
  ): Fault | undefined {
    switch (nameEnd - nameStart) {
      case 4:
        if (this.#isRequest && equalsIgnoreCase(bytes, nameStart, 'host')) {
          if (++this.hostCount > 1) return 'repeatedHost';
          return isHostValue(bytes, valueStart, valueEnd) ? undefined : 'badHost';
        }
        return undefined;
      case 6:
        if (this.#isRequest && equalsIgnoreCase(bytes, nameStart, 'expect')) {
          this.expect = true;
          this.expectContinue =
            valueEnd - valueStart === 12 && equalsIgnoreCase(bytes, valueStart, '100-continue');
        }
        return undefined;
      case 7:
        if (equalsIgnoreCase(bytes, nameStart, 'upgrade')) this.upgradeOffered ||= valueEnd > valueStart;
        return undefined;
      case 10:
        if (equalsIgnoreCase(bytes, nameStart, 'connection')) this.#connection(bytes, valueStart, valueEnd);
        else if (!this.#isRequest && equalsIgnoreCase(bytes, nameStart, 'set-cookie'))
          this.setsCookies = true;
        return undefined;
      case 14:
        if (equalsIgnoreCase(bytes, nameStart, 'content-length')) {
          return this.#length(bytes, valueStart, valueEnd);
        }
        return undefined;
      case 16:
        if (!this.#isRequest && equalsIgnoreCase(bytes, nameStart, 'content-encoding'))
          this.contentCoded = true;
        return undefined;
      case 17:
        if (equalsIgnoreCase(bytes, nameStart, 'transfer-encoding')) {
          return this.#transferEncoding(bytes, valueStart, valueEnd);
        }
        return undefined;
      default:
        return undefined;
    }
  }

  /** What is wrong with the fields together, once the head is complete (RFC 9112 §6.1, §6.3). */
  conflict(minorVersion: number): Fault | undefined {
    if (this.#codingCount > 0) {
      if (this.contentLength !== NO_LENGTH) return 'lengthAndEncoding';
      if (minorVersion === 0) return 'encodingOnHttp10';
    }
    return undefined;
  }

  #length(bytes: Uint8Array, start: number, end: number): Fault | undefined {
    let value = 0;
    if (start === end) return 'badContentLength';
    for (let index = start; index < end; index++) {
      const digit = bytes[index]! - ZERO;
      if (digit < 0 || digit > 9) {
        return this.#isRequest ? 'badContentLength' : this.#repeatedInOneLine(bytes, start, end);
      }
      value = value * 10 + digit;
      if (value > Number.MAX_SAFE_INTEGER) return 'badContentLength';
    }
    const digits = end - start;
    // 030 and 30 are the same number, but who writes both does not agree with himself.
    if (this.contentLength !== NO_LENGTH && (this.#isRequest || !this.#repeats(value, digits))) {
      return 'repeatedContentLength';
    }
    this.contentLength = value;
    this.#lengthDigits = digits;
    return undefined;
  }

  #repeats(value: number, digits: number): boolean {
    return value === this.contentLength && digits === this.#lengthDigits;
  }

  /** RFC 9112 §6.3 lets a client take `5, 5` for 5: old proxies join repeated fields that way. */
  #repeatedInOneLine(bytes: Uint8Array, start: number, end: number): Fault | undefined {
    if (end - start > MAX_LIST_SIZE) return 'badContentLength';
    const lengths = listElements(bytes, start, end);
    if (!lengths.every((length) => /^[0-9]{1,15}$/.test(length))) return 'badContentLength';
    const first = lengths[0]!;
    if (lengths.some((other) => other !== first)) return 'repeatedContentLength';
    const length = Number(first);
    if (this.contentLength !== NO_LENGTH && !this.#repeats(length, first.length))
      return 'repeatedContentLength';
    this.contentLength = length;
    this.#lengthDigits = first.length;
    return undefined;
  }

  #transferEncoding(bytes: Uint8Array, start: number, end: number): Fault | undefined {
    if (++this.#codingCount > 1) return 'repeatedTransferEncoding';
    if (end - start === 7 && equalsIgnoreCase(bytes, start, 'chunked')) {
      this.#coding = CHUNKED;
      return undefined;
    }
    const codings = listElements(bytes, start, Math.min(end, start + MAX_LIST_SIZE));
    if (codings.pop() !== 'chunked' || codings.length === 0) return 'badTransferEncoding';
    const areOthers = codings.every((coding) => coding !== 'chunked' && isToken(coding));
    return areOthers ? 'unknownTransferEncoding' : 'badTransferEncoding';
  }

  #connection(bytes: Uint8Array, start: number, end: number): void {
    let tokenStart = start;
    for (let index = start; index <= end; index++) {
      if (index !== end && bytes[index] !== COMMA) continue;
      let tokenEnd = index;
      // Of the bytes up to SP a value holds only HTAB, SP, and the CRLF of a folded line (lenient role).
      while (tokenStart < tokenEnd && bytes[tokenStart]! <= SP) tokenStart++;
      while (tokenEnd > tokenStart && bytes[tokenEnd - 1]! <= SP) tokenEnd--;
      switch (tokenEnd - tokenStart) {
        case 5:
          if (equalsIgnoreCase(bytes, tokenStart, 'close')) this.connectionClose = true;
          break;
        case 7:
          if (equalsIgnoreCase(bytes, tokenStart, 'upgrade')) this.connectionUpgrade = true;
          break;
        case 10:
          if (equalsIgnoreCase(bytes, tokenStart, 'keep-alive')) this.connectionKeepAlive = true;
          break;
        default:
      }
      tokenStart = index + 1;
    }
  }
}

/** Lower-case elements without the white space around them: SP and HTAB, nothing else that `trim` would take. */
function listElements(bytes: Uint8Array, start: number, end: number): string[] {
  const text = String.fromCharCode(...bytes.subarray(start, end)).toLowerCase();
  return text.split(',').map((element) => element.replace(/^[ \t]+|[ \t]+$/g, ''));
}
