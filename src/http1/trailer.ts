import type { FieldSink } from './field-scanner.ts';
import type { Fault } from './protocol-error.ts';

/**
 * Fields that must not come behind the body: framing, routing, request modifiers, authentication, content format and cookies
 * (RFC 9110 §6.5.1). A proxy or application that merged them into the head would be tricked.
 */
const FORBIDDEN = new Set([
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

const LONGEST = Math.max(...Array.from(FORBIDDEN, (name) => name.length));

/** Whether a field of this name may stand in a trailer section. */
export function isTrailerName(name: string): boolean {
  return name.length > LONGEST || !FORBIDDEN.has(name.toLowerCase());
}

/** Refuses forbidden fields while a trailer section is scanned. */
export const TRAILER_SINK: FieldSink = {
  field(bytes: Uint8Array, nameStart: number, nameEnd: number): Fault | undefined {
    if (nameEnd - nameStart > LONGEST) return undefined;
    const name = String.fromCharCode(...bytes.subarray(nameStart, nameEnd));
    return isTrailerName(name) ? undefined : 'forbiddenTrailer';
  },
};
