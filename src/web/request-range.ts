import { parseRange } from '../message/index.ts';
import { HTTPRequestRangeNotSatisfiable } from './http-exceptions.ts';

/** What `request.httpRange` gives; fits `bytes.subarray(start, stop)`. */
export interface HttpRange {
  /** First byte; negative counts from the end; `undefined`: no range. */
  readonly start: number | undefined;
  /** The byte after the last; `undefined`: up to the end. */
  readonly stop: number | undefined;
}

const WHOLE: HttpRange = Object.freeze({ start: undefined, stop: undefined });

/** A `Range` field as one slice (RFC 9110 §14.2). */
export function parseHttpRange(field: string | undefined): HttpRange {
  const parsed = parseRange(field);
  if (parsed.kind === 'none') return WHOLE;
  if (parsed.kind === 'invalid') throw notSatisfiable();
  const range = parsed.ranges[0];
  // A server may answer several ranges with the whole.
  if (parsed.ranges.length !== 1 || range === undefined) return WHOLE;
  if (range.suffixLength === undefined) {
    return { start: range.first, stop: range.last === undefined ? undefined : range.last + 1 };
  }
  if (range.suffixLength === 0) throw notSatisfiable();
  return { start: -range.suffixLength, stop: undefined };
}

function notSatisfiable(): HTTPRequestRangeNotSatisfiable {
  return new HTTPRequestRangeNotSatisfiable({ text: 'The Range of the request is not valid.' });
}
