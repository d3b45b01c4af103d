import { decodePathSafe } from '../message/index.ts';

/** `https://`, in any case: the target is in absolute-form (RFC 9112 §3.2.2). */
const ABSOLUTE: RegExp = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;
const SLASH = 0x2f;

/** Where path and query begin in a target, and whether it is in absolute-form. */
function referenceStart(target: string): number {
  if (target.charCodeAt(0) === SLASH) return 0;
  const scheme = ABSOLUTE.exec(target);
  if (scheme === null) return 0;
  for (let i = scheme[0].length; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === SLASH || code === 0x3f) return i;
  }
  return target.length;
}

/** Path and query of a target in whichever form (RFC 9112 §3.2), percent-encoded. */
export function targetReference(target: string): string {
  const start = referenceStart(target);
  if (start === 0) return target.charCodeAt(0) === SLASH || target === '*' ? target : '';
  const reference = target.slice(start);
  // RFC 9110 §4.2.3: an empty path is the root.
  return reference.charCodeAt(0) === SLASH ? reference : `/${reference}`;
}

/** The path that routes are matched with: decoded, but for `%2F` and `%25`. Cut out directly; every request needs it. */
export function targetPath(target: string): string {
  if (target.charCodeAt(0) !== SLASH) return pathOf(targetReference(target));
  return pathOf(target);
}

function pathOf(reference: string): string {
  const query = reference.indexOf('?');
  return decodePathSafe(query < 0 ? reference : reference.slice(0, query));
}

/** Host and port of a target in absolute-form or authority-form; `undefined` in the others. User information is dropped. */
export function targetAuthority(target: string): string | undefined {
  const first = target.charCodeAt(0);
  if (first === SLASH || target === '*') return undefined;
  const scheme = ABSOLUTE.exec(target);
  const authority = scheme === null ? target : target.slice(scheme[0].length, referenceStart(target));
  return authority.slice(authority.lastIndexOf('@') + 1);
}
