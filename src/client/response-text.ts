import { decodeText, parseMediaType, UnknownCharsetError } from '../message/index.ts';

/** Options of {@link ClientResponse.text}. */
export interface TextOptions {
  /** Default: the charset that Content-Type names, else the session's `fallbackCharsetResolver`, else UTF-8. */
  readonly encoding?: string | undefined;
  /** What becomes of bytes that are not text in that charset: an error (default), or U+FFFD. */
  readonly errors?: 'strict' | 'replace' | undefined;
}

/** Options of {@link ClientResponse.json}. */
export interface ResponseJsonOptions {
  readonly encoding?: string | undefined;
  /** Default `JSON.parse`. */
  readonly loads?: ((text: string) => unknown) | undefined;
  /** Media type to insist on; `undefined` takes any. Default `'application/json'`, which stands for every type that ends with `+json` too. */
  readonly contentType?: string | undefined;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Whether a media type is the expected one; `application/json` stands for `model/gltf+json` and the like too (RFC 6839 §3.1). */
export function isExpectedType(actual: string, expected: string): boolean {
  if (expected === 'application/json') return /^(?:application\/|[\w.-]+\/[\w.+-]+\+)json$/.test(actual);
  return actual.includes(expected.toLowerCase());
}

let lastType: string | undefined;
let lastCharset: string | undefined;

/** The charset in a Content-Type. Most responses of a program have the same one. */
export function charsetIn(contentType: string | undefined): string | undefined {
  if (contentType !== lastType) {
    lastCharset = contentType === undefined ? undefined : parseMediaType(contentType)?.charset?.toLowerCase();
    lastType = contentType;
  }
  return lastCharset;
}

/** Whether text in this charset can be read here. */
export function isKnownCharset(charset: string): boolean {
  if (charset === 'utf-8' || charset === 'utf8') return true;
  try {
    decodeText(NO_BYTES, charset);
    return true;
  } catch (error) {
    if (error instanceof UnknownCharsetError) return false;
    throw error;
  }
}
