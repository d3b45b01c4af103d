import { COLON, IP_LITERAL, REG_NAME, ZERO } from './bytes.ts';

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const PERCENT = 0x25;

/**
 * Whether the bytes are `uri-host [ ":" port ]` (RFC 9110 §7.2) with a host that is not empty. An empty Host would be allowed for
 * a target without authority, but here it is never of use and peers differ in what they make of it.
 */
export function isHostValue(bytes: Uint8Array, start: number, end: number): boolean {
  let index = start;
  if (index < end && bytes[index] === OPEN_BRACKET) {
    index++;
    const literal = index;
    let colons = 0;
    while (index < end && IP_LITERAL[bytes[index]!] === 1) {
      if (bytes[index] === COLON) colons++;
      index++;
    }
    // An IPv6 address holds at least two colons; "v1.x" is an IPvFuture (RFC 3986 §3.2.2).
    const isFuture = (bytes[literal]! | 0x20) === 0x76;
    if (index === end || bytes[index] !== CLOSE_BRACKET || (colons < 2 && !isFuture)) return false;
    index++;
  } else {
    while (index < end && REG_NAME[bytes[index]!] === 1) {
      if (
        bytes[index] === PERCENT &&
        !(isHex(bytes[index + 1]) && isHex(bytes[index + 2]) && index + 2 < end)
      ) {
        return false;
      }
      index++;
    }
    if (index === start) return false;
  }
  return index === end || (bytes[index] === COLON && isPort(bytes, index + 1, end));
}

/** Whether the bytes are the target of a CONNECT request: a host and a port, both there (RFC 9112 §3.2.3). */
export function isAuthorityForm(bytes: Uint8Array, start: number, end: number): boolean {
  let colon = end - 1;
  while (colon > start && bytes[colon] !== COLON) colon--;
  return colon > start && colon < end - 1 && isHostValue(bytes, start, end) && isPort(bytes, colon + 1, end);
}

function isHex(byte: number | undefined): boolean {
  return byte !== undefined && /[0-9a-fA-F]/.test(String.fromCharCode(byte));
}

/** `port` may be empty (RFC 3986 §3.2.3). */
function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  let port = 0;
  for (let index = start; index < end; index++) {
    const digit = bytes[index]! - ZERO;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
    if (port > 65_535) return false;
  }
  return true;
}
