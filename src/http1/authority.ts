import { COLON, HEX, IP_FUTURE, IPV6, REG_NAME, ZERO } from './bytes.ts';

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const PERCENT = 0x25;
const LETTER_V = 0x76;

/**
 * Whether the bytes are `uri-host [ ":" port ]` (RFC 9110 §7.2) with a host that is not empty. An empty Host would be allowed for
 * a target without authority, but here it is never of use and peers differ in what they make of it.
 */
export function isHostValue(bytes: Uint8Array, start: number, end: number): boolean {
  let index = start;
  if (index < end && bytes[index] === OPEN_BRACKET) {
    index = ipLiteralEnd(bytes, start + 1, end);
    if (index === -1) return false;
  } else {
    while (index < end && REG_NAME[bytes[index]!] === 1) {
      if (bytes[index] === PERCENT && !isEncodedOctet(bytes, index, end)) return false;
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

/** The offset behind the closing bracket of an IPv6 address or an IPvFuture (RFC 3986 §3.2.2), or -1. */
function ipLiteralEnd(bytes: Uint8Array, start: number, end: number): number {
  const isFuture = start < end && (bytes[start]! | 0x20) === LETTER_V;
  const allowed = isFuture ? IP_FUTURE : IPV6;
  let colons = 0;
  let index = start;
  while (index < end && allowed[bytes[index]!] === 1) {
    if (bytes[index] === COLON) colons++;
    index++;
  }
  // The shortest address, "::", holds two colons. Whether the groups make an address is for whoever connects to it.
  if (index === end || bytes[index] !== CLOSE_BRACKET || (colons < 2 && !isFuture)) return -1;
  return index + 1;
}

function isEncodedOctet(bytes: Uint8Array, percent: number, end: number): boolean {
  return percent + 2 < end && HEX[bytes[percent + 1]!] !== 255 && HEX[bytes[percent + 2]!] !== 255;
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
