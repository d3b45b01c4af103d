import { codedRangeError, shown } from './errors.ts';
import { MultipartError } from './multipart-error.ts';

/** What a multipart body may hold. What goes beyond ends its reading with a `MultipartError` of status 413. */
export interface MultipartLimits {
  /** Parts, those of nested multiparts too. Default 1000. */
  readonly maxParts: number;
  /** Header lines of a part. Default 128. */
  readonly maxHeaders: number;
  /** Bytes of the header lines of a part. Default 16 KiB. */
  readonly maxHeadSize: number;
  /** Bytes of the header lines of all parts together. Default 1 MiB. */
  readonly maxTotalHeadSize: number;
  /** Bytes of one part as they were sent, without its header lines. Default `Infinity`. */
  readonly maxPartSize: number;
  /** Bytes of the whole body. Default `Infinity`. */
  readonly maxSize: number;
  /** How deep multiparts may be nested; 1 allows none in another. Default 4. */
  readonly maxDepth: number;
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_MULTIPART_LIMITS: MultipartLimits = Object.freeze({
  maxParts: 1000,
  maxHeaders: 128,
  maxHeadSize: 16_384,
  maxTotalHeadSize: 1_048_576,
  maxPartSize: Number.POSITIVE_INFINITY,
  maxSize: Number.POSITIVE_INFINITY,
  maxDepth: 4,
});

const NAMES = Object.keys(DEFAULT_MULTIPART_LIMITS) as (keyof MultipartLimits)[];

/** Limits that were chosen, checked, over the defaults. */
export type MultipartLimitOptions = { readonly [Name in keyof MultipartLimits]?: number | undefined };

/** @throws RangeError `AIO_MULTIPART_LIMIT` for a limit that is no number of at least 0. */
export function resolveMultipartLimits(chosen: MultipartLimitOptions): MultipartLimits {
  const limits: Record<keyof MultipartLimits, number> = { ...DEFAULT_MULTIPART_LIMITS };
  for (const name of NAMES) {
    const value = chosen[name];
    if (value !== undefined) limits[name] = checkedLimit(name, value);
  }
  return limits;
}

/** @throws RangeError `AIO_MULTIPART_LIMIT` */
export function checkedLimit(name: string, value: number): number {
  if (typeof value !== 'number' || !(value >= 0)) {
    throw codedRangeError(
      'AIO_MULTIPART_LIMIT',
      `${name} is ${shown(value)}; a number of at least 0 is expected (Infinity for no limit)`,
    );
  }
  return value;
}

/** What of the limits is used up; a multipart and those nested in it share one. */
export class MultipartBudget {
  readonly limits: MultipartLimits;
  private parts: number;
  private headSize: number;

  constructor(limits: MultipartLimits) {
    this.limits = limits;
    this.parts = 0;
    this.headSize = 0;
  }

  /** @throws MultipartError */
  countPart(): void {
    if (++this.parts > this.limits.maxParts) {
      throw new MultipartError(
        'AIO_MULTIPART_TOO_MANY_PARTS',
        `The body has more than ${this.limits.maxParts} parts.`,
      );
    }
  }

  /** @throws MultipartError */
  countHead(size: number): void {
    this.headSize += size;
    if (this.headSize > this.limits.maxTotalHeadSize) {
      throw new MultipartError(
        'AIO_MULTIPART_HEADERS_TOO_LARGE',
        `The header lines of all parts are larger than ${this.limits.maxTotalHeadSize} bytes.`,
      );
    }
  }
}
