import { codedRangeError, shown } from './errors.ts';

/**
 * An entity tag (RFC 9110 §8.8.3; aiohttp `ETag`).
 *
 * @example
 * ```ts
 * import { ETag } from 'aiohttp-ts';
 * const etag = new ETag('v1', true);
 * etag.toString(); // 'W/"v1"'
 * ```
 */
export class ETag {
  /** The opaque part without its quotes. */
  readonly value: string;
  readonly isWeak: boolean;

  constructor(value: string, isWeak = false) {
    this.value = value;
    this.isWeak = isWeak;
  }

  /** Equal, and neither is weak: the bytes are the same (RFC 9110 §8.8.3.2). */
  strongEquals(other: ETag): boolean {
    return !this.isWeak && !other.isWeak && this.value === other.value;
  }

  /** Equal but for weakness: the meaning is the same (RFC 9110 §8.8.3.2). */
  weakEquals(other: ETag): boolean {
    return this.value === other.value;
  }

  /** As it is written in a field; see {@link formatETag} for the one that checks. */
  toString(): string {
    return this === ETAG_ANY ? '*' : `${this.isWeak ? 'W/' : ''}"${this.value}"`;
  }
}

/** The `*` of If-Match and If-None-Match: any current representation. A tag `"*"` in quotes is another thing. */
export const ETAG_ANY: ETag = new ETag('*');

// ETag with its separator, from a known place; etagc = %x21 / %x23-7E / obs-text (RFC 9110 §8.8.3).
const LISTED_ETAG = /[ \t]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)/y;
const EMPTY_ELEMENT = /[ \t]*,/y;
const ETAG_VALUE = /^[\x21\x23-\x7e\x80-\xff]*$/;

/**
 * Tags of an If-Match, If-None-Match or ETag value: `[ETAG_ANY]` for `*`; what follows a malformed one is ignored. Never throws; linear.
 *
 * @example
 * ```ts
 * parseETags('W/"a", "b"'); // [new ETag('a', true), new ETag('b')]
 * parseETags('*'); // [ETAG_ANY]
 * parseETags('a'); // []
 * ```
 */
export function parseETags(header: string): ETag[] {
  if (header.trim() === '*') return [ETAG_ANY];
  const tags: ETag[] = [];
  let index = 0;
  while (index < header.length) {
    EMPTY_ELEMENT.lastIndex = index;
    if (EMPTY_ELEMENT.test(header)) {
      index = EMPTY_ELEMENT.lastIndex;
      continue;
    }
    LISTED_ETAG.lastIndex = index;
    const match = LISTED_ETAG.exec(header);
    if (match === null) break;
    tags.push(new ETag(match[2]!, match[1] !== undefined));
    index = LISTED_ETAG.lastIndex;
  }
  return tags;
}

/**
 * Writes an ETag value.
 *
 * @param etag A tag, or the opaque part of a strong one without quotes; `'*'` and {@link ETAG_ANY} are written `*` (aiohttp).
 * @throws RangeError `AIO_ETAG` when it holds a quote, white space, a control or a character beyond U+00FF.
 * @example
 * ```ts
 * formatETag('v1'); // '"v1"'
 * formatETag(new ETag('v1', true)); // 'W/"v1"'
 * ```
 */
export function formatETag(etag: ETag | string): string {
  const tag = typeof etag !== 'string' ? etag : etag === '*' ? ETAG_ANY : new ETag(etag);
  if (!ETAG_VALUE.test(tag.value)) {
    throw codedRangeError(
      'AIO_ETAG',
      `${shown(tag.value)} cannot be an entity tag: quotes, white space, controls and characters beyond U+00FF are not allowed`,
    );
  }
  return tag.toString();
}

/**
 * Whether one of the listed tags is that of the current representation.
 *
 * @param tags From {@link parseETags}; `*` matches every representation.
 * @param current Tag of the representation, `undefined` when it has none.
 * @param comparison `'strong'` for If-Match and If-Range, `'weak'` for If-None-Match (RFC 9110 §13.1).
 * @example
 * ```ts
 * matchesETag(parseETags('W/"a"'), new ETag('a'), 'weak'); // true
 * matchesETag(parseETags('W/"a"'), new ETag('a'), 'strong'); // false
 * ```
 */
export function matchesETag(
  tags: readonly ETag[],
  current: ETag | undefined,
  comparison: 'strong' | 'weak',
): boolean {
  for (const tag of tags) {
    if (tag === ETAG_ANY) return true;
    if (current === undefined) continue;
    if (comparison === 'strong' ? tag.strongEquals(current) : tag.weakEquals(current)) return true;
  }
  return false;
}
