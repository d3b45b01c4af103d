import type { Settings } from './options.ts';
import type { SessionRecord } from './record.ts';

/** How long a session lives when it is not used, in ms. */
export function idleOf(record: SessionRecord, settings: Settings): number {
  return record.maxAge ?? settings.idle;
}

/** When it ends at the latest, in ms since 1970. */
export function endOf(record: SessionRecord, settings: Settings): number {
  return record.created + Math.max(settings.absolute, record.maxAge ?? settings.persistent ?? 0);
}

/** How long a storage should keep it from now on, in ms. */
export function ttlOf(record: SessionRecord, settings: Settings, now: number): number {
  return Math.min(idleOf(record, settings), endOf(record, settings) - now);
}

/** Whether so much of its idle time has passed that using it should be written down: a tenth. */
export function wantsTouch(expiresIn: number, ttl: number): boolean {
  return expiresIn === Number.POSITIVE_INFINITY || ttl - expiresIn > ttl / 10;
}
