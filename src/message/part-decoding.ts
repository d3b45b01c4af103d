import type { Transform } from 'node:stream';
import { canDecode, createDecoder, parseContentEncoding } from './content-decoding.ts';
import { MultipartError } from './multipart-error.ts';
import { transferDecoder } from './transfer-decoding.ts';

/** What is more was never seen in earnest; each costs a decoder. */
const MAX_CODINGS = 4;

/** How the content of a part was encoded: first by codings, then for its transfer. */
export interface PartCodings {
  readonly contentEncoding: string | undefined;
  readonly transferEncoding: string | undefined;
}

/** Whether {@link decodedPieces} would change anything. */
export function isEncoded({ contentEncoding, transferEncoding }: PartCodings): boolean {
  return (
    transferDecoder(transferEncoding) !== undefined || parseContentEncoding(contentEncoding).length !== 0
  );
}

/**
 * The content of a part, decoded piece by piece. Nothing is decoded ahead of who reads, so what little becomes a lot takes no memory.
 *
 * @throws MultipartError `AIO_MULTIPART_ENCODING` when an encoding is not known here, or the bytes are not what it says.
 */
export function decodedPieces(
  pieces: AsyncIterable<Uint8Array>,
  { contentEncoding, transferEncoding }: PartCodings,
): AsyncIterable<Uint8Array> {
  const codings = parseContentEncoding(contentEncoding);
  if (codings.length > MAX_CODINGS || !codings.every(canDecode)) {
    throw new MultipartError(
      'AIO_MULTIPART_ENCODING',
      'The Content-Encoding of a part is none that can be decoded here.',
    );
  }
  const decoder = transferDecoder(transferEncoding);
  const content = decoder === undefined ? pieces : transferred(pieces, decoder);
  return codings.reduceRight((source, coding) => decompressed(source, coding), content);
}

async function* transferred(
  pieces: AsyncIterable<Uint8Array>,
  decoder: NonNullable<ReturnType<typeof transferDecoder>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    const decoded = decoder.push(piece);
    if (decoded.length !== 0) yield decoded;
  }
  const rest = decoder.end();
  if (rest.length !== 0) yield rest;
}

/**
 * The decoder is a Node stream, but pulled: pieces are read by who reads this, so that a cancelled task ends its wait, and a decoder whose output
 * nobody takes stops by itself.
 */
async function* decompressed(
  pieces: AsyncIterable<Uint8Array>,
  coding: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let stream: PulledDecoder | undefined;
  try {
    for await (const piece of pieces) {
      stream ??= new PulledDecoder(coding, piece[0]!);
      stream.write(piece);
      yield* stream.taken(true);
    }
    // Nothing at all is an empty content.
    if (stream === undefined) return;
    stream.end();
    yield* stream.taken(false);
  } finally {
    stream?.destroy();
  }
}

class PulledDecoder {
  readonly #coding: string;
  readonly #decoder: Transform;
  #written: boolean;
  #ended: boolean;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(coding: string, first: number) {
    this.#coding = coding;
    // decodedPieces() has looked at it.
    if (!canDecode(coding)) throw new RangeError(coding);
    this.#decoder = createDecoder(coding, first);
    this.#written = true;
    this.#ended = false;
    this.#failure = undefined;
    this.#wake = undefined;
    this.#decoder
      .on('readable', () => this.#wakeUp())
      .on('end', () => {
        this.#ended = true;
        this.#wakeUp();
      })
      .on('error', (error) => {
        this.#failure = error;
        this.#wakeUp();
      });
  }

  write(piece: Uint8Array): void {
    this.#written = false;
    this.#decoder.write(piece, () => {
      this.#written = true;
      this.#wakeUp();
    });
  }

  end(): void {
    this.#decoder.end();
  }

  destroy(): void {
    this.#decoder.destroy();
  }

  /** All that what was written gives; behind `end()` all that is left. */
  async *taken(more: boolean): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const piece: Uint8Array | null = this.#decoder.read();
      if (piece !== null) {
        yield piece;
        continue;
      }
      if (this.#failure !== undefined) {
        throw new MultipartError('AIO_MULTIPART_ENCODING', `A part is not well-formed ${this.#coding}.`, {
          cause: this.#failure,
        });
      }
      if (more ? this.#written : this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
