import { isAscii } from 'node:buffer';
import { codedRangeError } from './errors.ts';

/** A charset label that nobody here can read or write. */
export class UnknownCharsetError extends RangeError {
  override readonly name: string = 'UnknownCharsetError';
  readonly code: string = 'AIO_UNKNOWN_CHARSET';
}

/** Bytes that are not text in the charset they are said to be in. */
export class UndecodableTextError extends TypeError {
  override readonly name: string = 'UndecodableTextError';
  readonly code: string = 'AIO_UNDECODABLE_TEXT';
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Bytes to text, strictly: nothing is replaced by U+FFFD. `iso-8859-1` and `us-ascii` mean what RFC 9110 §8.3.2 registers, not
 * the windows-1252 that browsers make of them; every other label means what the Encoding standard says. A byte order mark
 * at the start of UTF-8 is dropped.
 *
 * @throws UnknownCharsetError, UndecodableTextError
 */
export function decodeText(bytes: Uint8Array, charset: string): string {
  switch (charset.toLowerCase()) {
    case 'utf-8':
    case 'utf8':
      return decodeWith(UTF_8, bytes, charset);
    case 'iso-8859-1':
    case 'latin1':
    case 'latin-1':
      return asBuffer(bytes).toString('latin1');
    case 'us-ascii':
    case 'ascii':
      if (!isAscii(bytes)) throw undecodable(charset);
      return asBuffer(bytes).toString('latin1');
  }
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(charset, { fatal: true });
  } catch (error) {
    throw new UnknownCharsetError(`Unknown charset ${JSON.stringify(charset)}.`, { cause: error });
  }
  // Some releases of Node 20 to 24 take windows-1252 for latin1 (nodejs/node#56542).
  if (decoder.encoding === 'windows-1252') return decodeWindows1252(bytes);
  return decodeWith(decoder, bytes, charset);
}

/**
 * Text to bytes. UTF-8 text is returned as it is: transports encode it while they write.
 *
 * @throws UnknownCharsetError when this charset cannot be written.
 * @throws RangeError when the charset has no code for a character of the text.
 */
export function encodeText(text: string, charset: string): string | Uint8Array {
  switch (charset.toLowerCase()) {
    case 'utf-8':
    case 'utf8':
      return text;
    case 'iso-8859-1':
    case 'latin1':
    case 'latin-1':
      return encodeBytes(text, 0xff, charset);
    case 'us-ascii':
    case 'ascii':
      return encodeBytes(text, 0x7f, charset);
    case 'utf-16le':
      return Buffer.from(text, 'utf16le');
  }
  throw new UnknownCharsetError(
    `Text cannot be sent as ${JSON.stringify(charset)}; utf-8, iso-8859-1, us-ascii and utf-16le can. Encode it yourself and give it as body.`,
  );
}

function encodeBytes(text: string, highest: number, charset: string): Uint8Array {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > highest) {
      throw codedRangeError(
        'AIO_UNENCODABLE_TEXT',
        `${charset} has no code for ${JSON.stringify(String.fromCodePoint(text.codePointAt(i) ?? 0))} (character ${i} of the text); use utf-8.`,
      );
    }
  }
  return Buffer.from(text, 'latin1');
}

function decodeWith(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array, charset: string): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw undecodable(charset, error);
  }
}

/** What windows-1252 has where latin1 has the controls 0x80 to 0x9f. */
const WINDOWS_1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

function decodeWindows1252(bytes: Uint8Array): string {
  const text = asBuffer(bytes).toString('latin1');
  return text.replace(/[\x80-\x9f]/g, (control) => WINDOWS_1252[control.charCodeAt(0) - 0x80] ?? control);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function undecodable(charset: string, cause?: unknown): UndecodableTextError {
  return new UndecodableTextError(`The bytes are not valid ${charset} text.`, { cause });
}
