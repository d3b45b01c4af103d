import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import type { BodySource } from './body-source.ts';
import { COMPRESSION_CODINGS, type CompressionCoding, createEncoder } from './content-coding.ts';
import { codedRangeError, shown } from './errors.ts';

/** What is done to the content of a part before it is written, in this order. */
export interface PartEncoding {
  readonly content: CompressionCoding | undefined;
  readonly transfer: 'base64' | 'quoted-printable' | undefined;
}

/**
 * What the Content-Encoding and Content-Transfer-Encoding fields of a part ask for; `undefined` when its bytes stay as they are.
 *
 * @throws RangeError `AIO_PART_ENCODING` for an encoding that is not known.
 */
export function partEncoding(
  content: string | undefined,
  transfer: string | undefined,
): PartEncoding | undefined {
  const encoding = { content: contentCoding(content), transfer: transferCoding(transfer) };
  return encoding.content === undefined && encoding.transfer === undefined ? undefined : encoding;
}

function contentCoding(value: string | undefined): PartEncoding['content'] {
  const coding = value?.trim().toLowerCase() ?? 'identity';
  if (coding === 'identity') return undefined;
  const found = COMPRESSION_CODINGS.find((name) => name === coding);
  if (found !== undefined) return found;
  throw codedRangeError(
    'AIO_PART_ENCODING',
    `Content-Encoding of a part is identity or one of ${COMPRESSION_CODINGS.join(', ')}, got ${shown(value)}`,
  );
}

function transferCoding(value: string | undefined): PartEncoding['transfer'] {
  const coding = value?.trim().toLowerCase() ?? 'binary';
  // These say what is in the content and change nothing (RFC 2045 §6.2).
  if (coding === 'binary' || coding === '8bit' || coding === '7bit') return undefined;
  if (coding === 'base64' || coding === 'quoted-printable') return coding;
  throw codedRangeError(
    'AIO_PART_ENCODING',
    `Content-Transfer-Encoding is 7bit, 8bit, binary, base64 or quoted-printable, got ${shown(value)}`,
  );
}

/** Bytes that `size` bytes become; `undefined` when that depends on them. */
export function encodedSize(
  size: number | undefined,
  { content, transfer }: PartEncoding,
): number | undefined {
  if (size === undefined || content !== undefined || transfer !== 'base64') return undefined;
  const characters = Math.ceil(size / 3) * 4;
  return characters + 2 * Math.max(0, Math.ceil(characters / BASE64_LINE) - 1);
}

/** A source whose pieces are those of another one, encoded. Ending it ends the other one. */
export function encodedSource(source: BodySource, { content, transfer }: PartEncoding): BodySource {
  let encoded: Readable = Readable.from(source, { objectMode: false });
  // Errors reach the one who reads the last of them.
  if (content !== undefined) encoded = pipeline(encoded, createEncoder(content), ignore);
  if (transfer === 'base64') encoded = pipeline(encoded, new Base64Encoder(), ignore);
  if (transfer === 'quoted-printable') encoded = pipeline(encoded, new QuotedPrintableEncoder(), ignore);
  return encoded;
}

/** Characters in a line at most (RFC 2045 §6.8). */
const BASE64_LINE = 76;
const BASE64_LINE_BYTES = 57;

class Base64Encoder extends Transform {
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole = bytes.length - (bytes.length % BASE64_LINE_BYTES);
    this.#rest = bytes.subarray(whole);
    done(null, whole === 0 ? undefined : this.#lines(bytes.subarray(0, whole)));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#rest.length === 0 ? undefined : this.#lines(this.#rest));
  }

  /** Lines are separated, not ended: what follows is the line end before the boundary. */
  #lines(bytes: Buffer): string {
    const lines: string[] = this.#begun ? [''] : [];
    this.#begun = true;
    for (let start = 0; start < bytes.length; start += BASE64_LINE_BYTES) {
      lines.push(bytes.toString('base64', start, Math.min(start + BASE64_LINE_BYTES, bytes.length)));
    }
    return lines.join('\r\n');
  }
}

/** Characters in a line at most, the `=` of a soft line break among them (RFC 2045 §6.7). */
const QUOTED_LINE = 76;
const CR = 0x0d;
const LF = 0x0a;

/** Line ends of the text stay line ends; a CR or LF by itself is escaped, and so is white space before a line end. */
class QuotedPrintableEncoder extends Transform {
  #column = 0;
  /** A byte whose form depends on the next one: CR, space or tab. -1 for none. */
  #held = -1;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let text = '';
    for (const byte of chunk) text += this.#encode(byte);
    done(null, text);
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#held === -1 ? undefined : this.#put(escaped(this.#held)));
  }

  #encode(byte: number): string {
    const held = this.#held;
    this.#held = -1;
    let text = '';
    if (held === CR && byte === LF) {
      this.#column = 0;
      return '\r\n';
    }
    if (held === CR) text = this.#put(escaped(CR));
    else if (held !== -1) text = this.#put(byte === CR ? escaped(held) : String.fromCharCode(held));
    if (byte === CR || byte === 0x20 || byte === 0x09) {
      this.#held = byte;
      return text;
    }
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x3d;
    return text + this.#put(plain ? String.fromCharCode(byte) : escaped(byte));
  }

  #put(unit: string): string {
    if (this.#column + unit.length < QUOTED_LINE) {
      this.#column += unit.length;
      return unit;
    }
    this.#column = unit.length;
    return `=\r\n${unit}`;
  }
}

function escaped(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function ignore(): void {}
