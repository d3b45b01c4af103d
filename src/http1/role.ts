import type { Framing } from './framing.ts';
import { FieldSection, ParsedRequest, ParsedResponse } from './head.ts';
import type { Limits } from './limits.ts';
import type { Fault } from './protocol-error.ts';
import { RequestLineScanner, type StartLineScanner, StatusLineScanner } from './start-line.ts';

/** Where a body ends (RFC 9112 §6.3). */
export const BODY_NONE = 0;
export const BODY_LENGTH = 1;
export const BODY_CHUNKED = 2;
/** Until the connection ends; responses only. */
export const BODY_UNTIL_CLOSE = 3;
export type BodyKind = typeof BODY_NONE | typeof BODY_LENGTH | typeof BODY_CHUNKED | typeof BODY_UNTIL_CLOSE;

/** What differs between the two directions: everything else of the codec serves both. */
export interface Role<Head> {
  readonly isRequest: boolean;
  readonly startLine: StartLineScanner;
  /** Makes the head from bytes `start` to `end`, all of them checked; `fieldsAt` is where the field lines begin. */
  head(bytes: Buffer, start: number, fieldsAt: number, end: number, framing: Framing): Head;
  /** What is wrong with the head as a whole, if anything. */
  conflict(framing: Framing): Fault | undefined;
  bodyKind(framing: Framing): BodyKind;
}

export class RequestRole implements Role<ParsedRequest> {
  readonly isRequest: boolean = true;
  readonly startLine: RequestLineScanner;

  constructor(limits: Limits) {
    this.startLine = new RequestLineScanner(limits.maxLineSize);
  }

  head(bytes: Buffer, start: number, fieldsAt: number, end: number, framing: Framing): ParsedRequest {
    const line = this.startLine;
    const text = bytes.toString('latin1', start, end);
    const minor = line.minorVersion;
    return new ParsedRequest(
      methodName(text, line.methodStart - start, line.methodEnd - start),
      text.slice(line.targetStart - start, line.targetEnd - start),
      minor,
      new FieldSection(text, fieldsAt - start),
      framing.contentLength,
      framing.chunked,
      keepsAlive(framing, minor),
      framing.connectionUpgrade && framing.upgradeOffered,
      framing.expect,
      framing.expectContinue,
    );
  }

  conflict(framing: Framing): Fault | undefined {
    if (framing.hostCount === 0 && this.startLine.minorVersion === 1) return 'missingHost';
    return framing.conflict(this.startLine.minorVersion);
  }

  bodyKind(framing: Framing): BodyKind {
    if (framing.chunked) return BODY_CHUNKED;
    return framing.contentLength > 0 ? BODY_LENGTH : BODY_NONE;
  }
}

export class ResponseRole implements Role<ParsedResponse> {
  readonly isRequest: boolean = false;
  readonly startLine: StatusLineScanner;
  /** Method of the request that is answered: it decides whether there is a body. */
  method: string;

  constructor(limits: Limits) {
    this.startLine = new StatusLineScanner(limits.maxLineSize);
    this.method = 'GET';
  }

  head(bytes: Buffer, start: number, fieldsAt: number, end: number, framing: Framing): ParsedResponse {
    const line = this.startLine;
    const text = bytes.toString('latin1', start, end);
    const minor = line.minorVersion;
    return new ParsedResponse(
      line.status,
      text.slice(line.reasonStart - start, line.reasonEnd - start),
      minor,
      new FieldSection(text, fieldsAt - start),
      framing.contentLength,
      framing.chunked,
      keepsAlive(framing, minor) && this.bodyKind(framing) !== BODY_UNTIL_CLOSE,
      framing.connectionUpgrade && framing.upgradeOffered,
      framing.setsCookies,
      framing.contentCoded,
    );
  }

  conflict(framing: Framing): Fault | undefined {
    return framing.conflict(this.startLine.minorVersion);
  }

  bodyKind(framing: Framing): BodyKind {
    const { status } = this.startLine;
    const isTunnel = this.method === 'CONNECT' && status >= 200 && status < 300;
    if (this.method === 'HEAD' || status < 200 || status === 204 || status === 304 || isTunnel)
      return BODY_NONE;
    if (framing.chunked) return BODY_CHUNKED;
    if (framing.contentLength === -1) return BODY_UNTIL_CLOSE;
    return framing.contentLength > 0 ? BODY_LENGTH : BODY_NONE;
  }
}

/** RFC 9112 §9.3. */
function keepsAlive(framing: Framing, minorVersion: number): boolean {
  return !framing.connectionClose && (minorVersion === 1 || framing.connectionKeepAlive);
}

/** The methods that make up nearly all traffic are constants: comparing them later is comparing pointers. */
function methodName(text: string, start: number, end: number): string {
  switch (end - start) {
    case 3:
      if (text.startsWith('GET', start)) return 'GET';
      if (text.startsWith('PUT', start)) return 'PUT';
      break;
    case 4:
      if (text.startsWith('POST', start)) return 'POST';
      if (text.startsWith('HEAD', start)) return 'HEAD';
      break;
    case 5:
      if (text.startsWith('PATCH', start)) return 'PATCH';
      break;
    case 6:
      if (text.startsWith('DELETE', start)) return 'DELETE';
      break;
    default:
  }
  return text.slice(start, end);
}
