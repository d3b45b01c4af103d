import {
  decodeText,
  type StreamReader,
  UndecodableTextError,
  UnknownCharsetError,
} from '../message/index.ts';
import type { BaseRequest, JsonOptions } from './base-request.ts';
import { HTTPBadRequest, HTTPRequestEntityTooLarge, HTTPUnsupportedMediaType } from './http-exceptions.ts';

/** 1 MiB, as in aiohttp. */
export const DEFAULT_CLIENT_MAX_SIZE = 1_048_576;

/** @throws HTTPRequestEntityTooLarge */
export function limitBody(size: number, limit: number): void {
  if (limit !== 0 && size > limit) throw new HTTPRequestEntityTooLarge(limit);
}

/** All that a stream still gives, but never more than `limit` bytes in memory (and the piece that went beyond it). */
export async function readWhole(stream: StreamReader, limit: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const piece = await stream.readAny();
    if (piece === undefined) break;
    size += piece.byteLength;
    limitBody(size, limit);
    pieces.push(piece);
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, size);
}

/** Text of a client: what is wrong with it is the client's fault. */
export function strictText(bytes: Uint8Array, charset: string | undefined): string {
  try {
    return decodeText(bytes, charset ?? 'utf-8');
  } catch (cause) {
    if (cause instanceof UnknownCharsetError) {
      throw new HTTPUnsupportedMediaType({ text: 'The charset of the request is not known here.', cause });
    }
    if (cause instanceof UndecodableTextError) {
      throw new HTTPBadRequest({ text: 'The body is not valid text in its charset.', cause });
    }
    throw cause;
  }
}

/** @throws HTTPBadRequest, HTTPUnsupportedMediaType */
export function parseJson<T>(
  bytes: Uint8Array,
  request: BaseRequest,
  options: JsonOptions<T> | undefined,
): T {
  const wanted = options?.contentType;
  if (wanted !== undefined && request.contentType !== wanted.toLowerCase()) {
    throw new HTTPBadRequest({ text: `The body must be ${wanted}.` });
  }
  const text = strictText(bytes, request.charset);
  try {
    if (options?.loads !== undefined) return options.loads(text);
    const data: T = JSON.parse(text);
    if (hasPrototypeMember(text)) throw new SyntaxError('A member is called __proto__.');
    return data;
  } catch (cause) {
    if (cause instanceof HTTPBadRequest) throw cause;
    throw new HTTPBadRequest({ text: 'The body is not valid JSON.', cause });
  }
}

/** `"__proto__":` with any of its characters escaped. Every part of the pattern is fixed, so the search is linear. */
const PROTOTYPE_MEMBER: RegExp =
  /"(?:_|\\u005[Ff]){2}(?:p|\\u0070)(?:r|\\u0072)(?:o|\\u006[Ff])(?:t|\\u0074)(?:o|\\u006[Ff])(?:_|\\u005[Ff]){2}"\s*:/;

/**
 * Looked for in the text, which is cheaper than a reviver: the two searches that come first end almost every case. The text is
 * valid JSON already.
 */
function hasPrototypeMember(text: string): boolean {
  if (!text.includes('__proto__') && !text.includes('\\u00')) return false;
  return PROTOTYPE_MEMBER.test(text);
}
