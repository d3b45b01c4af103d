import { formatHttpDate } from '../message/index.ts';

/**
 * The Date field line of RFC 9110 §6.6.1, made once a second instead of once an answer (0.85 µs each). Whoever owns a clock that
 * ticks calls `refresh`; between ticks the line is at most one tick old.
 */
export class DateLine {
  line: string;
  #second: number;

  constructor(now: number) {
    this.#second = -1;
    this.line = '';
    this.refresh(now);
  }

  /** `now` in milliseconds since the epoch. */
  refresh(now: number): void {
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.line = `Date: ${formatHttpDate(now)}\r\n`;
  }
}
