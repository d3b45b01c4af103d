import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { outside } from '../asyncio/index.ts';
import { StreamReader } from '../message/index.ts';
import { ClientPayloadError } from './errors.ts';
import { HAS_ZSTD } from './user-agent.ts';

/** More than this was never seen in earnest; each costs a decoder. */
const MAX_CODINGS = 4;
/** A body of up to this many bytes is decompressed at once, which costs a fifth of what a stream costs. */
const AT_ONCE = 65_536;
/** … when it gives no more than this: else others would wait too long. */
const AT_ONCE_LIMIT = 1_048_576;
/** A compressed body may be gathered up to here whatever it was compressed to, */
const ALWAYS_ALLOWED = 67_108_864;
/** … and from there up to this many times its size on the wire: DEFLATE cannot do better than 1032. */
const MAX_RATIO = 1032;

const OPTIONS = { chunkSize: 65_536 };

interface Coding {
  stream(first: number): Transform;
  once(bytes: Uint8Array, maxOutputLength: number): Uint8Array;
}

const GZIP: Coding = {
  stream: () => zlib.createGunzip(OPTIONS),
  once: (bytes, maxOutputLength) => zlib.gunzipSync(bytes, { maxOutputLength }),
};

// "deflate" is zlib by the book and often raw DEFLATE in the wild; zlib's first byte says which (RFC 1950 §2.2).
const DEFLATE: Coding = {
  stream: (first) => (isZlib(first) ? zlib.createInflate(OPTIONS) : zlib.createInflateRaw(OPTIONS)),
  once: (bytes, maxOutputLength) =>
    isZlib(bytes[0]!)
      ? zlib.inflateSync(bytes, { maxOutputLength })
      : zlib.inflateRawSync(bytes, { maxOutputLength }),
};

const BROTLI: Coding = {
  stream: () => zlib.createBrotliDecompress(OPTIONS),
  once: (bytes, maxOutputLength) => zlib.brotliDecompressSync(bytes, { maxOutputLength }),
};

const ZSTD: Coding = {
  stream: () => zlib.createZstdDecompress(OPTIONS),
  once: (bytes, maxOutputLength) => zlib.zstdDecompressSync(bytes, { maxOutputLength }),
};

const CODINGS: ReadonlyMap<string, Coding> = new Map([
  ['gzip', GZIP],
  ['x-gzip', GZIP],
  ['deflate', DEFLATE],
  ['br', BROTLI],
  ...(HAS_ZSTD ? [['zstd', ZSTD] as const] : []),
]);

function isZlib(first: number): boolean {
  return (first & 0x0f) === 8;
}

/** How a body must be decoded, the last coding first; `undefined` when it needs nothing, or nothing that is known here. */
export function decodersFor(contentEncoding: string | undefined): readonly string[] | undefined {
  if (contentEncoding === undefined) return undefined;
  const names = contentEncoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length === 0 || !names.every((name) => CODINGS.has(name))) return undefined;
  if (names.length > MAX_CODINGS) {
    throw new ClientPayloadError(
      `Content-Encoding lists ${names.length} codings; ${MAX_CODINGS} are undone at most`,
    );
  }
  return names.reverse();
}

/** Bytes that are all here, decoded without a stream; `undefined` when that would take too long. */
export function decodedAtOnce(bytes: Uint8Array, names: readonly string[]): Uint8Array | undefined {
  let decoded = bytes;
  for (const name of names) {
    if (decoded.length === 0) return decoded;
    if (decoded.length > AT_ONCE) return undefined;
    try {
      decoded = CODINGS.get(name)!.once(decoded, AT_ONCE_LIMIT);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
      throw cannotDecode(name, error);
    }
  }
  return decoded;
}

/** A stream of the decoded body. What is decoded ahead is bounded, whatever the ratio. */
export function decodedStream(
  source: StreamReader,
  names: readonly string[],
  limit: number | undefined,
): StreamReader {
  return names.reduce((stream, name) => decodeOne(stream, name, limit), source);
}

function decodeOne(source: StreamReader, name: string, limit: number | undefined): StreamReader {
  let decoder: Transform | undefined;
  const target = new StreamReader({ pause: () => decoder?.pause(), resume: () => decoder?.resume() }, limit);
  const run = async (): Promise<void> => {
    const first = await source.readChunk();
    // Nothing at all is no broken stream: servers say so of an empty body (and of an answer to HEAD).
    if (first === undefined) {
      target.feedEof();
      return;
    }
    const stream = CODINGS.get(name)!.stream(first[0]!);
    decoder = stream;
    stream.on('data', (piece: Buffer) => target.feedData(piece));
    const ended = new Promise<void>((resolve, reject) => stream.once('end', resolve).once('error', reject));
    ended.catch(() => {});
    try {
      for (let piece: Uint8Array | undefined = first; piece !== undefined; piece = await source.readChunk()) {
        if (stream.destroyed) break;
        if (!stream.write(piece)) await Promise.race([drained(stream), ended]);
      }
      stream.end();
      await ended;
    } catch (error) {
      stream.destroy();
      throw source.exception() ?? cannotDecode(name, error);
    }
    target.feedEof();
  };
  // Whoever reads the body first is not the one who decodes it: its cancellation ends its own wait only.
  outside(() => {
    run().catch((error: Error) => target.setException(error));
  });
  return target;
}

function drained(stream: Transform): Promise<void> {
  return new Promise((resolve) => stream.once('drain', resolve));
}

function cannotDecode(name: string, cause: unknown): ClientPayloadError {
  return new ClientPayloadError(`400, message: Can not decode content-encoding: ${name}`, { cause });
}

/**
 * Most bytes that may be gathered from a compressed body of which `encoded` bytes have come: a small body that becomes a huge one is
 * an attack on the memory of who reads it.
 */
export function gatherLimit(encoded: number): number {
  return Math.max(ALWAYS_ALLOWED, encoded * MAX_RATIO);
}
