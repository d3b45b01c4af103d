import {
  CIMultiDict,
  type CIMultiDictProxy,
  type HttpVersion,
  HttpVersion10,
  HttpVersion11,
} from '../message/index.ts';

/**
 * The field section of a head that a scanner has already checked. It is one string; fields are cut out of it when somebody
 * asks, so a request whose headers nobody reads pays nothing for them. Bytes are kept as latin1: what is not UTF-8 survives.
 */
export class FieldSection {
  readonly #text: string;
  readonly #start: number;
  #headers: CIMultiDict | undefined;

  /** `start` is where the first field line begins in `text`; the section ends at its empty line or at the end. */
  constructor(text: string, start: number) {
    this.#text = text;
    this.#start = start;
    this.#headers = undefined;
  }

  get headers(): CIMultiDictProxy {
    return (this.#headers ??= CIMultiDict.fromRaw(this.#split()));
  }

  /** One field by its lower-case name, repeats joined by `', '`, without building `headers`. */
  header(name: string): string | undefined {
    if (this.#headers !== undefined) return this.#headers.get(name);
    const text = this.#text;
    const size = name.length;
    let found: string | undefined;
    let line = this.#start;
    for (;;) {
      const end = text.indexOf('\n', line);
      if (isSectionEnd(text, line, end)) return found;
      if (text.charCodeAt(line + size) === 0x3a && startsWithFolded(text, line, name)) {
        const next = text.charCodeAt(end + 1);
        // A folded line (lenient role only) is rare enough to go the long way.
        if (next === 0x20 || next === 0x09) return this.headers.get(name);
        const value = trimValue(text, line + size + 1, end);
        found = found === undefined ? value : `${found}, ${value}`;
      }
      line = end + 1;
    }
  }

  #split(): string[] {
    const text = this.#text;
    const fields: string[] = [];
    let line = this.#start;
    for (;;) {
      let end = text.indexOf('\n', line);
      if (isSectionEnd(text, line, end)) return fields;
      const colon = text.indexOf(':', line);
      let value = trimValue(text, colon + 1, end);
      while (text.charCodeAt(end + 1) === 0x20 || text.charCodeAt(end + 1) === 0x09) {
        const fold = end + 1;
        end = text.indexOf('\n', fold);
        value = `${value} ${trimValue(text, fold, end)}`;
      }
      fields.push(text.slice(line, colon), trimValue(value, 0, value.length));
      line = end + 1;
    }
  }
}

/** What the heads of both directions have: their fields, and what those say about framing and the connection. */
abstract class ParsedHead {
  readonly version: HttpVersion;
  /** `-1` when not given. */
  readonly contentLength: number;
  readonly chunked: boolean;
  /** The peer lets the connection live on (RFC 9112 §9.3). */
  readonly keepAlive: boolean;
  /** `Connection: upgrade` with an Upgrade field (RFC 9110 §7.8). */
  readonly upgrade: boolean;
  readonly #fields: FieldSection;

  constructor(
    minorVersion: number,
    fields: FieldSection,
    contentLength: number,
    chunked: boolean,
    keepAlive: boolean,
    upgrade: boolean,
  ) {
    this.version = minorVersion === 1 ? HttpVersion11 : HttpVersion10;
    this.contentLength = contentLength;
    this.chunked = chunked;
    this.keepAlive = keepAlive;
    this.upgrade = upgrade;
    this.#fields = fields;
  }

  get headers(): CIMultiDictProxy {
    return this.#fields.headers;
  }

  header(name: string): string | undefined {
    return this.#fields.header(name);
  }
}

/** A request's head as parsed (RFC 9112 §3). */
export class ParsedRequest extends ParsedHead {
  readonly method: string;
  readonly target: string;
  /** An Expect field is there; its meaning is `expectContinue` or unknown (RFC 9110 §10.1.1). */
  readonly expect: boolean;
  readonly expectContinue: boolean;

  constructor(
    method: string,
    target: string,
    minorVersion: number,
    fields: FieldSection,
    contentLength: number,
    chunked: boolean,
    keepAlive: boolean,
    upgrade: boolean,
    expect: boolean,
    expectContinue: boolean,
  ) {
    super(minorVersion, fields, contentLength, chunked, keepAlive, upgrade);
    this.method = method;
    this.target = target;
    this.expect = expect;
    this.expectContinue = expectContinue;
  }
}

/** A response's head as parsed (RFC 9112 §4). */
export class ParsedResponse extends ParsedHead {
  readonly status: number;
  readonly reason: string;
  /** A Set-Cookie field is there: known without looking for it. */
  readonly setsCookies: boolean;
  /** A Content-Encoding field is there. */
  readonly contentCoded: boolean;

  constructor(
    status: number,
    reason: string,
    minorVersion: number,
    fields: FieldSection,
    contentLength: number,
    chunked: boolean,
    keepAlive: boolean,
    upgrade: boolean,
    setsCookies: boolean,
    contentCoded: boolean,
  ) {
    super(minorVersion, fields, contentLength, chunked, keepAlive, upgrade);
    this.status = status;
    this.reason = reason;
    this.setsCookies = setsCookies;
    this.contentCoded = contentCoded;
  }
}

/** The empty line, or the end of a text without one. `end` is where the line's LF is, or -1. */
function isSectionEnd(text: string, line: number, end: number): boolean {
  return end === -1 || end === line || (end === line + 1 && text.charCodeAt(line) === 0x0d);
}

function startsWithFolded(text: string, at: number, lower: string): boolean {
  for (let index = 0; index < lower.length; index++) {
    const code = text.charCodeAt(at + index);
    const folded = code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
    if (folded !== lower.charCodeAt(index)) return false;
  }
  return true;
}

/** OWS is SP and HTAB only; `String.prototype.trim` would also take U+00A0 and others that latin1 text may hold. */
function trimValue(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d;
}
