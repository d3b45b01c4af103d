import { MultipartError } from './multipart-error.ts';

/** Undoes a Content-Transfer-Encoding (RFC 2045 §6) piece by piece. */
export interface TransferDecoder {
  /** What a piece gives; it may be empty. */
  push(bytes: Uint8Array): Uint8Array;
  /** What the end gives. */
  end(): Uint8Array;
}

const NOTHING = Buffer.alloc(0);

/**
 * The decoder for a Content-Transfer-Encoding; `undefined` when the bytes are the content.
 *
 * @throws MultipartError `AIO_MULTIPART_ENCODING` for one that is not known.
 */
export function transferDecoder(encoding: string | undefined): TransferDecoder | undefined {
  switch (encoding?.toLowerCase()) {
    case undefined:
    case '':
    case '7bit':
    case '8bit':
    case 'binary':
      return undefined;
    case 'base64':
      return new Base64Decoder();
    case 'quoted-printable':
      return new QuotedPrintableDecoder();
  }
  throw new MultipartError(
    'AIO_MULTIPART_ENCODING',
    'The Content-Transfer-Encoding of a part is none of 7bit, 8bit, binary, base64 and quoted-printable.',
  );
}

const SP = 0x20;
const HTAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;

/** 1: one of the 64; 2: white space; 0: neither. */
const BASE64 = new Uint8Array(256);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') {
  BASE64[char.charCodeAt(0)] = 1;
}
for (const byte of [SP, HTAB, CR, LF]) BASE64[byte] = 2;

/** Line breaks and blanks are skipped, quartets may be split anywhere; padding ends the data (RFC 2045 §6.8). */
class Base64Decoder implements TransferDecoder {
  #quartet = '';
  #padding = 0;

  push(bytes: Uint8Array): Uint8Array {
    // What is left of the quartet before, and only characters of the alphabet.
    const chars = Buffer.allocUnsafe(this.#quartet.length + bytes.length);
    let size = chars.write(this.#quartet, 'latin1');
    for (const byte of bytes) {
      const kind = BASE64[byte];
      if (kind === 1 && this.#padding === 0) chars[size++] = byte;
      else if (byte === EQUALS && this.#padding < 2) this.#padding++;
      else if (kind !== 2) throw malformed('base64');
    }
    const whole = size - (size % 4);
    this.#quartet = chars.toString('latin1', whole, size);
    return Buffer.from(chars.toString('latin1', 0, whole), 'base64');
  }

  end(): Uint8Array {
    const rest = this.#quartet;
    const missing = (4 - (rest.length % 4)) % 4;
    // Padding may be left out, but what is there must fit.
    if (rest.length === 1 || (this.#padding !== 0 && this.#padding !== missing)) throw malformed('base64');
    return Buffer.from(rest, 'base64');
  }
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

const TEXT = 0;
const ESCAPE = 1;
const ESCAPE_HIGH = 2;
const SOFT_BREAK = 3;

/** Longest run of blanks that is kept until it is known whether a line ends behind it; no line is longer than 76 (RFC 2045 §6.7). */
const MAX_BLANKS = 1024;

/** `=XX` is a byte, `=` at the end of a line joins it to the next; blanks at the end of a line are not content. */
class QuotedPrintableDecoder implements TransferDecoder {
  #state = TEXT;
  #high = 0;
  #blanks: number[] = [];

  push(bytes: Uint8Array): Uint8Array {
    const out = Buffer.allocUnsafe(bytes.length + this.#blanks.length);
    let size = 0;
    for (const byte of bytes) {
      switch (this.#state) {
        case TEXT:
          if (byte === SP || byte === HTAB) {
            if (this.#blanks.length === MAX_BLANKS) throw malformed('quoted-printable');
            this.#blanks.push(byte);
            break;
          }
          if (this.#blanks.length !== 0) {
            if (byte !== CR && byte !== LF) for (const blank of this.#blanks) out[size++] = blank;
            this.#blanks = [];
          }
          if (byte === EQUALS) this.#state = ESCAPE;
          else out[size++] = byte;
          break;
        case ESCAPE:
          if (byte === LF) this.#state = TEXT;
          else if (byte === CR || byte === SP || byte === HTAB) this.#state = SOFT_BREAK;
          else {
            this.#high = hexValue(byte);
            if (this.#high === -1) throw malformed('quoted-printable');
            this.#state = ESCAPE_HIGH;
          }
          break;
        case ESCAPE_HIGH: {
          const low = hexValue(byte);
          if (low === -1) throw malformed('quoted-printable');
          out[size++] = (this.#high << 4) | low;
          this.#state = TEXT;
          break;
        }
        default:
          if (byte === LF) this.#state = TEXT;
          else if (byte !== CR && byte !== SP && byte !== HTAB) throw malformed('quoted-printable');
      }
    }
    return out.subarray(0, size);
  }

  end(): Uint8Array {
    if (this.#state === ESCAPE_HIGH) throw malformed('quoted-printable');
    return NOTHING;
  }
}

function malformed(encoding: string): MultipartError {
  return new MultipartError('AIO_MULTIPART_ENCODING', `A part is not well-formed ${encoding}.`);
}
