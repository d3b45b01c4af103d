/**
 * One range of a Range field (RFC 9110 §14.1.1): from `first` to `last` inclusive (to the end when `last` is `undefined`), or the last
 * `suffixLength` bytes.
 */
export type RangeSpec =
  | { readonly first: number; readonly last: number | undefined; readonly suffixLength?: undefined }
  | { readonly suffixLength: number; readonly first?: undefined; readonly last?: undefined };

/**
 * What a Range field asks for:
 * - `'none'`: there is no field, or its unit is not `bytes`: it is to be ignored (RFC 9110 §14.2);
 * - `'invalid'`: malformed, reversed, or more than {@link MAX_RANGES} ranges;
 * - `'ranges'`: one range or several.
 */
export type ParsedRange =
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'ranges'; readonly ranges: readonly RangeSpec[] };

/** A part of a representation: bytes from `start` to `end`, exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges than this in one field are refused: many small ones are an attack (RFC 9110 §17.15). */
export const MAX_RANGES = 16;
/** Elements of the list, those with nothing in them too, of which a recipient must take "a reasonable number" (RFC 9110 §5.6.1.2). */
const MAX_ELEMENTS = 2 * MAX_RANGES;

const NONE: ParsedRange = Object.freeze({ kind: 'none' });
const INVALID: ParsedRange = Object.freeze({ kind: 'invalid' });
const UNIT = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=/;
const SPEC = /[ \t]*(?:(\d*)-(\d*)[ \t]*)?(?:,|$)/y;

/**
 * Parses a Range field. Only ASCII digits count; numbers too big for a file are clamped. Never throws; linear.
 *
 * @param header `undefined` when the field is absent.
 * @example
 * ```ts
 * parseRange('bytes=0-4'); // { kind: 'ranges', ranges: [{ first: 0, last: 4 }] }
 * parseRange('bytes=-5'); // { kind: 'ranges', ranges: [{ suffixLength: 5 }] }
 * parseRange('items=0-4'); // { kind: 'none' }
 * parseRange('bytes=4-2'); // { kind: 'invalid' }
 * ```
 */
export function parseRange(header: string | undefined): ParsedRange {
  if (header === undefined) return NONE;
  const unit = UNIT.exec(header);
  if (unit === null) return INVALID;
  if (unit[1]!.toLowerCase() !== 'bytes') return NONE;
  const ranges: RangeSpec[] = [];
  let index = unit[0].length;
  for (let elements = 0; index < header.length; elements++) {
    SPEC.lastIndex = index;
    const match = SPEC.exec(header);
    if (match === null || elements === MAX_ELEMENTS) return INVALID;
    index = SPEC.lastIndex;
    const [, first, last] = match;
    if (first === undefined || last === undefined) continue;
    if (ranges.length === MAX_RANGES) return INVALID;
    if (first === '') {
      if (last === '') return INVALID;
      ranges.push({ suffixLength: position(last) });
    } else {
      const from = position(first);
      const to = last === '' ? undefined : position(last);
      if (to !== undefined && to < from) return INVALID;
      ranges.push({ first: from, last: to });
    }
  }
  return ranges.length === 0 ? INVALID : { kind: 'ranges', ranges };
}

function position(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

/**
 * Where a range lies in a representation of `size` bytes, its end clamped; `undefined` when it is not satisfiable (416): it begins at
 * or after the end, or is the last 0 bytes (RFC 9110 §14.1.2).
 *
 * @example
 * ```ts
 * resolveRange({ first: 8, last: 99 }, 10); // { start: 8, end: 10 }
 * resolveRange({ suffixLength: 3 }, 10); // { start: 7, end: 10 }
 * resolveRange({ suffixLength: 0 }, 10); // undefined
 * ```
 */
export function resolveRange(range: RangeSpec, size: number): ByteRange | undefined {
  if (range.suffixLength !== undefined) {
    return range.suffixLength === 0 || size === 0
      ? undefined
      : { start: Math.max(0, size - range.suffixLength), end: size };
  }
  if (range.first >= size) return undefined;
  return { start: range.first, end: range.last === undefined ? size : Math.min(range.last + 1, size) };
}

/**
 * Writes a Content-Range value: of a 206, or with `undefined` that of a 416 (RFC 9110 §14.4).
 *
 * @example
 * ```ts
 * formatContentRange({ start: 0, end: 5 }, 10); // 'bytes 0-4/10'
 * formatContentRange(undefined, 10); // 'bytes *' + '/10'
 * ```
 */
export function formatContentRange(range: ByteRange | undefined, size: number): string {
  return range === undefined ? `bytes */${size}` : `bytes ${range.start}-${range.end - 1}/${size}`;
}
