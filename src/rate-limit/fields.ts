import type { Rate, RateDecision } from './store.ts';

/** Which fields tell clients of their quota: see `RateLimitOptions.fields`. */
export type FieldStyle = 'draft' | 'classic' | 'both' | 'none';

/** A container of header fields. */
interface Fields {
  getAll(name: string): readonly string[];
  delete(name: string): unknown;
  add(name: string, value: string): void;
  set(name: string, value: string): void;
}

/** Writes the fields of one decision. */
export type RateFields = (headers: Fields, decision: RateDecision) => void;

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-11, and the three that were usual before it. Several limits on one way add their elements to the
 * list of the former; of the latter the one that is written last remains.
 */
export function rateFields(
  style: FieldStyle,
  name: string,
  limit: number,
  window: number,
  rate: Rate,
): RateFields {
  const policy = `"${name}";q=${limit};w=${seconds(window)}`;
  const isDraft = style === 'draft' || style === 'both';
  const isClassic = style === 'classic' || style === 'both';
  return (headers, { full }) => {
    const remaining = Math.max(0, Math.floor((rate.capacity - full) / rate.interval + 1e-6));
    const reset = seconds(full);
    if (isDraft) {
      replaceElement(headers, 'RateLimit-Policy', name, policy);
      replaceElement(headers, 'RateLimit', name, `"${name}";r=${remaining};t=${reset}`);
    }
    if (isClassic) {
      headers.set('RateLimit-Limit', String(limit));
      headers.set('RateLimit-Remaining', String(remaining));
      headers.set('RateLimit-Reset', String(reset));
    }
  };
}

/** Each limit has a line of its own. An exception that is thrown again and again has the line of the last time already. */
function replaceElement(headers: Fields, field: string, name: string, element: string): void {
  const others = headers.getAll(field).filter((line) => !line.startsWith(`"${name}";`));
  headers.delete(field);
  for (const line of others) headers.add(field, line);
  headers.add(field, element);
}

/** Whole seconds, rounded up. What adding fractions has made of 30 000 ms, 30 000.000 000 004, is not 31. */
export function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000 - 1e-5));
}
