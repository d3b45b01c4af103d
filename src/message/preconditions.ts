import { type ETag, matchesETag, parseETags } from './etag.ts';
import { parseHttpDate } from './http-date.ts';

/** What a server knows of the representation that a request is about. */
export interface Validators {
  readonly etag?: ETag | undefined;
  /** Milliseconds since 1970; fractions of a second are rounded up, as they are in `Last-Modified`. */
  readonly lastModified?: number | undefined;
}

/** The fields of a request that are conditions (RFC 9110 §13.1), as they came. */
export interface ConditionalFields {
  readonly ifMatch?: string | undefined;
  readonly ifUnmodifiedSince?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: string | undefined;
}

/** What the conditions of a request say: go on, `304 Not Modified`, or `412 Precondition Failed`. */
export type ConditionResult = 'proceed' | 'notModified' | 'failed';

/**
 * Evaluates the conditions of a request in the order of RFC 9110 §13.2.2 (its fifth step is {@link ifRangeHolds}). A date that is malformed, or one
 * for a representation without a date, is no condition. Never throws.
 *
 * @param method Of the request: only GET and HEAD can be answered with 304.
 * @param current `undefined` when there is no representation: nothing was created yet.
 * @example
 * ```ts
 * evaluateConditions('GET', { ifNoneMatch: '"v1"' }, { etag: new ETag('v1') }); // 'notModified'
 * evaluateConditions('PUT', { ifMatch: '"v1"' }, { etag: new ETag('v2') }); // 'failed'
 * ```
 */
export function evaluateConditions(
  method: string,
  fields: ConditionalFields,
  current: Validators | undefined,
): ConditionResult {
  const { ifMatch, ifNoneMatch } = fields;
  const modified = seconds(current?.lastModified);
  if (ifMatch !== undefined) {
    if (current === undefined || !matchesETag(parseETags(ifMatch), current.etag, 'strong')) return 'failed';
  } else {
    const since = dateOf(fields.ifUnmodifiedSince);
    if (since !== undefined && modified !== undefined && modified > since) return 'failed';
  }
  const reads = method === 'GET' || method === 'HEAD';
  if (ifNoneMatch !== undefined) {
    if (current === undefined || !matchesETag(parseETags(ifNoneMatch), current.etag, 'weak'))
      return 'proceed';
    return reads ? 'notModified' : 'failed';
  }
  const since = reads ? dateOf(fields.ifModifiedSince) : undefined;
  return since !== undefined && modified !== undefined && modified <= since ? 'notModified' : 'proceed';
}

/**
 * Whether the part that `Range` asks for still fits the one that the client has: `If-Range` is absent, or names the strong tag or the very date of
 * the representation (RFC 9110 §13.1.5). Never throws.
 *
 * @example
 * ```ts
 * ifRangeHolds('"v1"', { etag: new ETag('v1') }); // true
 * ifRangeHolds('W/"v1"', { etag: new ETag('v1', true) }); // false
 * ```
 */
export function ifRangeHolds(field: string | undefined, current: Validators): boolean {
  if (field === undefined) return true;
  if (/^[ \t]*(?:W\/)?"/.test(field)) {
    const tag = parseETags(field)[0];
    return tag !== undefined && current.etag !== undefined && tag.strongEquals(current.etag);
  }
  const date = dateOf(field);
  return date !== undefined && date === seconds(current.lastModified);
}

function dateOf(field: string | undefined): number | undefined {
  return field === undefined ? undefined : parseHttpDate(field);
}

function seconds(time: number | undefined): number | undefined {
  return time === undefined ? undefined : Math.ceil(time / 1000) * 1000;
}
