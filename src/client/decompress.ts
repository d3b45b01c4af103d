import {
  BodyDecoder,
  canDecode,
  type DecodingRules,
  decodeNow,
  parseContentEncoding,
  type StreamReader,
} from '../message/index.ts';
import { ClientPayloadError } from './errors.ts';

/** More than this was never seen in earnest; each costs a decoder. */
const MAX_CODINGS = 4;
/** A compressed body may be gathered up to here whatever it was compressed to, */
const ALWAYS_ALLOWED = 67_108_864;
/** … and from there up to this many times its size on the wire: DEFLATE cannot do better than 1032. */
const MAX_RATIO = 1032;

const RULES: DecodingRules = {
  failed: (coding, cause) =>
    new ClientPayloadError(`400, message: Can not decode content-encoding: ${coding}`, { cause }),
};

/** How a body was coded; `undefined` when nothing needs to be undone, or nothing that is known here. */
export function decodersFor(contentEncoding: string | undefined): readonly string[] | undefined {
  if (contentEncoding === undefined) return undefined;
  const names = parseContentEncoding(contentEncoding);
  if (names.length === 0 || !names.every(canDecode)) return undefined;
  if (names.length > MAX_CODINGS) {
    throw new ClientPayloadError(
      `Content-Encoding lists ${names.length} codings; ${MAX_CODINGS} are undone at most`,
    );
  }
  return names;
}

/** A coding is among these that is not undone here: a body stays as it came. */
export function staysCoded(contentEncoding: string | undefined): boolean {
  return contentEncoding !== undefined && !parseContentEncoding(contentEncoding).every(canDecode);
}

/** Bytes that are all here, decoded without a stream; `undefined` when that would take too long. */
export function decodedAtOnce(bytes: Uint8Array, names: readonly string[]): Uint8Array | undefined {
  return decodeNow(bytes, names, RULES);
}

/** A stream of the decoded body. What is decoded ahead is bounded, whatever the ratio. */
export function decodedStream(
  source: StreamReader,
  names: readonly string[],
  limit: number | undefined,
): StreamReader {
  return new BodyDecoder(source, names, RULES, limit).content;
}

/**
 * Most bytes that may be gathered from a compressed body of which `encoded` bytes have come: a small body that becomes a huge one is
 * an attack on the memory of who reads it.
 */
export function gatherLimit(encoded: number): number {
  return Math.max(ALWAYS_ALLOWED, encoded * MAX_RATIO);
}
