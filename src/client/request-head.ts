import { fieldLine, HeadError } from '../http1/index.ts';
import {
  CIMultiDict,
  codedRangeError,
  codedTypeError,
  isToken,
  MultiDict,
  parseCookies,
  quoteCookieValue,
  shown,
} from '../message/index.ts';
import type { ClientRequest } from './request.ts';
import type { CookiesInit } from './request-options.ts';
import { ACCEPT_ENCODING, USER_AGENT } from './user-agent.ts';

// What a field means for the head that is written. Those below OTHER's right neighbour are bits, to be noted in one number.
const OTHER = 0;
const ACCEPT = 1;
const ENCODING = 2;
const AGENT = 4;
const CONTENT_TYPE = 8;
const CONTENT_ENCODING = 16;
const DISPOSITION = 32;
const CONNECTION = 64;
const EXPECT = 128;
const AUTHORIZATION = 256;
const HOST = 512;
const COOKIE = 1024;
const CONTENT_LENGTH = 2048;
const TRANSFER_ENCODING = 4096;
const RANGE = 8192;
/** The engine writes these from what it knows. */
const OWN = HOST | COOKIE | CONTENT_LENGTH | TRANSFER_ENCODING;
const AUTO = ACCEPT | ENCODING | AGENT;

const MEANINGS: ReadonlyMap<string, number> = new Map([
  ['accept', ACCEPT],
  ['accept-encoding', ENCODING],
  ['user-agent', AGENT],
  ['content-type', CONTENT_TYPE],
  ['content-encoding', CONTENT_ENCODING],
  ['content-disposition', DISPOSITION],
  ['connection', CONNECTION],
  ['expect', EXPECT],
  ['authorization', AUTHORIZATION],
  ['host', HOST],
  ['cookie', COOKIE],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['range', RANGE],
]);

/** Names as callers write them; a program uses few different ones. */
const MAX_NAMES = 512;
const meanings = new Map<string, number>();

function meaningOf(name: string): number {
  let meaning = meanings.get(name);
  if (meaning === undefined) {
    meaning = MEANINGS.get(String(name).toLowerCase()) ?? OTHER;
    if (meanings.size >= MAX_NAMES) meanings.clear();
    meanings.set(name, meaning);
  }
  return meaning;
}

/** The fields that every request has unless it sets or skips them, by the bits of those that are left out. */
const autoLines: string[] = [];
for (let without = 0; without <= AUTO; without++) {
  autoLines.push(
    ((without & ACCEPT) === 0 ? 'Accept: */*\r\n' : '') +
      ((without & ENCODING) === 0 ? `Accept-Encoding: ${ACCEPT_ENCODING}\r\n` : '') +
      ((without & AGENT) === 0 ? `User-Agent: ${USER_AGENT}\r\n` : ''),
  );
}

/** Of a request for a part: a part of what is compressed cannot be decompressed (as the Fetch Standard has it). */
const WITH_RANGE = 'identity';

/** The bits of the fields whose names are to be skipped. */
export function skipBits(names: Iterable<string> | undefined): number {
  let bits = 0;
  if (names !== undefined) for (const name of names) bits |= meaningOf(name);
  return bits & (AUTO | CONTENT_TYPE | DISPOSITION);
}

/** A head that is ready to be sent, and what it says about the body. */
export interface WrittenHead {
  readonly text: string;
  readonly chunked: boolean;
  /** Bytes that are promised; `undefined` when chunked. */
  readonly length: number | undefined;
  /** The server is asked before the body is sent. */
  readonly expectContinue: boolean;
}

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
]);
/** Methods for which no body is the same as nothing said about one (RFC 9110 §8.6). */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const WITH_TYPE: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** A method as it is sent: in upper case. @throws RangeError `AIO_METHOD` when it is no token */
export function checkedMethod(method: string): string {
  if (METHODS.has(method)) return method;
  if (typeof method !== 'string' || !isToken(method)) {
    const found = typeof method === 'string' ? /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/u.exec(method)?.[0] : undefined;
    const why = found === undefined ? '' : ` (found at least ${shown(found)})`;
    throw codedRangeError('AIO_METHOD', `Method cannot contain non-token characters ${shown(method)}${why}`);
  }
  return method.toUpperCase();
}

/**
 * Writes the head of a request in the order that aiohttp has: Host, what the caller set, the fields that every request has, Cookie,
 * what the body needs. Everything is checked, so that nothing in it can end a line.
 *
 * @throws HeadError for a name or value that cannot stand in a head; RangeError `AIO_REQUEST_FRAMING` for a framing that contradicts itself
 */
export function writeHead(request: ClientRequest): WrittenHead {
  const { target, body, settings, proxy, version } = request;
  const fields = request.fields();
  let seen = request.skip;
  let lines = '';
  let host = '';
  let cookie: string | undefined;
  let givenLength: string | undefined;
  let givenEncoding: string | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!;
    const value = fields[index + 1]!;
    const meaning = meaningOf(name);
    seen |= meaning;
    if ((meaning & OWN) === 0) {
      lines += fieldLine(name, value);
    } else if (meaning === HOST) {
      host = value;
    } else if (meaning === COOKIE) {
      cookie = cookie === undefined ? value : `${cookie}; ${value}`;
    } else if (meaning === CONTENT_LENGTH) {
      givenLength = value;
    } else {
      givenEncoding = value;
    }
  }
  if (request.isComplete) seen |= AUTO | CONTENT_TYPE | DISPOSITION;
  else cookie = withCookies(request, cookie);
  if ((seen & (RANGE | ENCODING)) === RANGE) {
    lines += `Accept-Encoding: ${WITH_RANGE}\r\n`;
    seen |= ENCODING;
  }
  lines += autoLines[seen & AUTO]!;
  if ((seen & AUTHORIZATION) === 0) {
    const { authorization } = request;
    if (authorization !== undefined) lines += fieldLine('Authorization', authorization);
  }
  if (cookie !== undefined) lines += fieldLine('Cookie', cookie);

  let chunked = settings.chunked === true || settings.trailers !== undefined || givenEncoding !== undefined;
  checkFraming(request, givenLength, givenEncoding, seen);
  let length: number | undefined;
  if (body !== undefined) {
    const compress = request.compress;
    if (compress !== undefined) {
      lines += `Content-Encoding: ${compress}\r\n`;
      chunked = true;
    }
    if ((seen & CONTENT_TYPE) === 0 && body.contentType !== undefined) {
      lines += fieldLine('Content-Type', body.contentType);
    }
    if ((seen & DISPOSITION) === 0 && body.contentDisposition !== undefined) {
      lines += fieldLine('Content-Disposition', body.contentDisposition);
    }
    length = givenLength === undefined ? body.size : Number(givenLength);
    if (length === undefined) chunked = true;
  } else {
    chunked = false;
    if (givenLength !== undefined || !BODILESS.has(request.method)) length = 0;
    if ((seen & CONTENT_TYPE) === 0 && WITH_TYPE.has(request.method)) {
      lines += 'Content-Type: application/octet-stream\r\n';
    }
  }
  if (chunked) {
    length = undefined;
    if (version.minor === 0) throw framing('a body without known length cannot be sent by HTTP/1.0');
    lines += 'Transfer-Encoding: chunked\r\n';
  } else if (length !== undefined) {
    lines += `Content-Length: ${length}\r\n`;
  }
  const expectContinue =
    body !== undefined && version.minor === 1 && (settings.expect100 === true || (seen & EXPECT) !== 0);
  if (expectContinue && (seen & EXPECT) === 0) lines += 'Expect: 100-continue\r\n';
  if ((seen & CONNECTION) === 0) {
    if (request.closesConnection) lines += 'Connection: close\r\n';
    else if (version.minor === 0) lines += 'Connection: keep-alive\r\n';
  }
  // A proxy gets the whole URL for plain HTTP (RFC 9112 §3.2.2); otherwise it makes a tunnel and sees nothing of this.
  let line = target.target;
  if (proxy !== undefined && !request.isTunnelled) {
    line = target.href;
    const { authorization } = proxy;
    if (authorization !== undefined) lines += fieldLine('Proxy-Authorization', authorization);
    const { proxyHeaders } = request;
    for (let i = 0; i < proxyHeaders.length; i += 2)
      lines += fieldLine(proxyHeaders[i]!, proxyHeaders[i + 1]!);
  }
  const hostLine = host === '' ? `Host: ${target.authority}\r\n` : fieldLine('Host', host);
  const text = `${request.method} ${line} HTTP/1.${version.minor}\r\n${hostLine}${lines}\r\n`;
  return { text, chunked, length, expectContinue };
}

function checkFraming(
  request: ClientRequest,
  givenLength: string | undefined,
  givenEncoding: string | undefined,
  seen: number,
): void {
  if (givenEncoding !== undefined && givenEncoding.toLowerCase() !== 'chunked') {
    throw framing(`Transfer-Encoding can only be "chunked", got ${shown(givenEncoding)}`);
  }
  if (givenLength !== undefined) {
    if (!/^[0-9]{1,15}$/.test(givenLength)) {
      throw framing(`Content-Length must be a decimal number of bytes, got ${shown(givenLength)}`);
    }
    if (givenEncoding !== undefined) throw framing('Content-Length and Transfer-Encoding exclude each other');
    if (request.settings.chunked === true || request.settings.trailers !== undefined) {
      throw framing('chunked and trailers can not be set if Content-Length header is set');
    }
    if (request.body === undefined && Number(givenLength) !== 0) {
      throw framing(`Content-Length is ${givenLength} and there is no body`);
    }
    if (request.compress !== undefined)
      throw framing('compress can not be set if Content-Length header is set');
  }
  if (request.compress !== undefined && (seen & CONTENT_ENCODING) !== 0) {
    throw framing('compress can not be set if Content-Encoding header is set');
  }
}

function framing(message: string): RangeError {
  return codedRangeError('AIO_REQUEST_FRAMING', message);
}

/** Cookies of the header that was given, the jar, and the request; the later wins where names are the same. */
function withCookies(request: ClientRequest, given: string | undefined): string | undefined {
  const { cookieJar } = request.session;
  const { cookies: own, target } = request;
  const stored = cookieJar.isEmpty ? undefined : cookieJar.cookieHeader(target);
  if (own === undefined) {
    if (stored === undefined) return given;
    if (given === undefined) return stored;
  }
  const cookies = new MultiDict<string>();
  if (given !== undefined) {
    for (const [name, value] of parseCookies(given)) cookies.set(name, quoteCookieValue(value));
  }
  // The jar may have a name twice, for two paths; all of them are sent.
  if (stored !== undefined) cookies.update(cookieJar.filterCookies(target));
  if (own !== undefined) cookies.update(own);
  return cookies.size === 0
    ? undefined
    : Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');
}

/** Cookies as they are sent. @throws RangeError `AIO_COOKIE_NAME`, `AIO_COOKIE_VALUE` */
export function checkedCookies(init: CookiesInit): MultiDict<string> {
  const checked = new MultiDict<string>();
  for (const [name, value] of new MultiDict<string>(init)) {
    if (!isToken(name)) {
      throw codedRangeError('AIO_COOKIE_NAME', `cookie name ${shown(name)} is not a token`);
    }
    checked.add(name, quoteCookieValue(String(value)));
  }
  return checked;
}

/**
 * All fields that will be sent, for those who look at them before: middlewares, traces, errors. Only what frames the body is not among
 * them unless it was set, since the body may still be changed.
 */
export function completeFields(request: ClientRequest): CIMultiDict {
  const given = request.fields();
  const { skip, target, body } = request;
  const headers = new CIMultiDict([['Host', target.authority]]);
  headers.update(CIMultiDict.fromRaw([...given]));
  const auto = (bit: number, name: string, value: string | undefined): void => {
    if ((skip & bit) === 0 && value !== undefined && !headers.has(name)) headers.add(name, value);
  };
  auto(ACCEPT, 'Accept', '*/*');
  auto(ENCODING, 'Accept-Encoding', headers.has('range') ? WITH_RANGE : ACCEPT_ENCODING);
  auto(AGENT, 'User-Agent', USER_AGENT);
  auto(0, 'Authorization', request.authorization);
  const cookie = withCookies(request, headers.get('cookie'));
  if (cookie !== undefined) headers.set('Cookie', cookie);
  if (body !== undefined) {
    auto(CONTENT_TYPE, 'Content-Type', body.contentType);
    auto(DISPOSITION, 'Content-Disposition', body.contentDisposition);
  }
  return headers;
}

/** The fields of an argument as a flat list. @throws TypeError `AIO_BAD_HEAD` for a value that is no text */
export function rawFields(init: Iterable<readonly [string, string]> | object | undefined): readonly string[] {
  if (init === undefined) return NO_FIELDS;
  const { raw } = new CIMultiDict(init as Readonly<Record<string, string>>);
  for (const part of raw) {
    if (typeof part !== 'string')
      throw new HeadError(`Header names and values must be text, got ${shown(part)}`);
  }
  return raw;
}

const NO_FIELDS: readonly string[] = Object.freeze([]);

/** @throws RangeError `AIO_URL_CREDENTIALS` when the URL has credentials and a header has others */
export function checkCredentials(request: ClientRequest): void {
  if (request.target.username === undefined) return;
  const fields = request.fields();
  for (let index = 0; index < fields.length; index += 2) {
    if (meaningOf(fields[index]!) === AUTHORIZATION) {
      throw codedTypeError(
        'AIO_URL_CREDENTIALS',
        'An Authorization header and credentials in the URL exclude each other: give one of them',
      );
    }
  }
}
