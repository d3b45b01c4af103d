import { codedRangeError, shown } from '../message/index.ts';
import type { DeflateOptions } from './permessage-deflate.ts';

/**
 * How messages are compressed (permessage-deflate, RFC 7692), where both ends can do so.
 *
 * @example
 * ```ts
 * import type { WebSocketCompression } from 'aiohttp-ts/client';
 *
 * const compress: WebSocketCompression = { windowBits: 12, threshold: 4096 };
 * ```
 */
export interface WebSocketCompression extends DeflateOptions {
  /** Messages with fewer bytes go as they are. Default 1024. */
  readonly threshold?: number | undefined;
  /** 1 (fast) to 9 (small). Default 6. */
  readonly level?: number | undefined;
}

/** @throws RangeError `AIO_WS_OPTION` for a window, a size or a level that zlib has not */
export function checkCompression({ windowBits, threshold, level }: WebSocketCompression): void {
  checkWhole('compress.windowBits', windowBits, 9, 15);
  checkWhole('compress.threshold', threshold, 0, Infinity);
  checkWhole('compress.level', level, 1, 9);
}

function checkWhole(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  const range = most === Infinity ? `${least} or more` : `${least} to ${most}`;
  throw codedRangeError('AIO_WS_OPTION', `${name} is a whole number, ${range}; got ${shown(value)}.`);
}
