/** How much of a message head, a chunk line or a trailer section is accepted. Sizes are bytes. */
export interface Limits {
  /** Request line or status line without its CRLF; over it 414. Default 8190, as aiohttp. */
  readonly maxLineSize: number;
  /** One field line without its CRLF; over it 431. Default 8190, as aiohttp. */
  readonly maxFieldSize: number;
  /** Field lines in a head, and again in a trailer section; over it 431. Default 128, as aiohttp. */
  readonly maxHeaders: number;
  /** A whole head with its line ends; over it 431. Default 65536. */
  readonly maxHeadSize: number;
  /** A whole trailer section; over it 431. Default 16384. */
  readonly maxTrailerSize: number;
  /** All chunk extensions of one message together; over it 400. Default 16384. */
  readonly maxChunkExtensionSize: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxLineSize: 8190,
  maxFieldSize: 8190,
  maxHeaders: 128,
  maxHeadSize: 65_536,
  maxTrailerSize: 16_384,
  maxChunkExtensionSize: 16_384,
});

const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];

/**
 * The limits that `options` sets, over the defaults.
 * @throws RangeError when one is not a positive integer.
 */
export function resolveLimits(options: Partial<Limits>): Limits {
  const limits: { -readonly [Name in keyof Limits]: number } = { ...DEFAULT_LIMITS };
  for (const name of LIMIT_NAMES) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${name} must be a positive integer of bytes or fields, got ${String(value)}`);
    }
    limits[name] = value;
  }
  return limits;
}
