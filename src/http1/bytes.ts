/**
 * Byte classes of the HTTP/1.1 grammar (RFC 9110 §5.6, RFC 9112 §3–5) as 256-entry tables: the scanners look every byte up
 * exactly once.
 */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const DQUOTE = 0x22;
export const ASTERISK = 0x2a;
export const COMMA = 0x2c;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const BACKSLASH = 0x5c;

function table(accepts: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (accepts(byte) ? 1 : 0));
}

function oneOf(characters: string): (byte: number) => boolean {
  return (byte) => characters.includes(String.fromCharCode(byte));
}

const isAlphaNumeric = oneOf('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ');

const isTokenPunctuation = oneOf("!#$%&'*+-.^_`|~");

/** tchar, RFC 9110 §5.6.2. */
export const TOKEN: Uint8Array = table((byte) => isAlphaNumeric(byte) || isTokenPunctuation(byte));

/** field-content, RFC 9110 §5.5: visible ASCII, obs-text, SP and HTAB. */
export const FIELD_VALUE: Uint8Array = table(
  (byte) => byte === HTAB || (byte >= SP && byte !== 0x7f && byte <= 0xff),
);

/**
 * request-target, RFC 9112 §3.2. Visible ASCII without the fragment delimiter. Characters that RFC 3986 wants
 * percent-encoded (`"<>\^`{|}`) pass, because browsers send some of them in queries and none of them ends the target.
 */
export const TARGET: Uint8Array = table((byte) => byte > SP && byte < 0x7f && byte !== 0x23);

/** reg-name of RFC 3986 §3.2.2 with its percent sign. */
export const REG_NAME: Uint8Array = table((byte) => isAlphaNumeric(byte) || oneOf("-._~%!$&'()*+,;=")(byte));

/** IPvFuture, RFC 3986 §3.2.2. */
export const IP_FUTURE: Uint8Array = table((byte) => isAlphaNumeric(byte) || oneOf(":.-_~!$&'()*+,;=")(byte));

/** IPv6address, RFC 3986 §3.2.2. */
export const IPV6: Uint8Array = table(oneOf('0123456789abcdefABCDEF:.'));

/** qdtext and quoted-pair payload, RFC 9110 §5.6.4 (the quote and the backslash are handled by the scanner). */
export const QUOTED: Uint8Array = FIELD_VALUE;

/** Value of a hexadecimal digit, or 255. */
export const HEX: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : 255;
});

/**
 * Compares bytes with an ASCII text in lower case, ignoring case. The bytes must be known to be token characters: folding is
 * one bit, which maps some other bytes onto letters.
 */
export function equalsIgnoreCase(bytes: Uint8Array, start: number, lower: string): boolean {
  for (let index = 0; index < lower.length; index++) {
    if ((bytes[start + index]! | 0x20) !== lower.charCodeAt(index)) return false;
  }
  return true;
}
