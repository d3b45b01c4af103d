import type { WriteStream } from 'node:tty';
import type { Progress } from '../client/index.ts';

const WIDTH = 30;
/** Drawn no more often than this, in milliseconds. */
const INTERVAL = 100;

/** One line on a terminal that says how far a download is; nothing where there is no terminal. */
export class DownloadProgress {
  readonly #stream: WriteStream;
  readonly #shown: boolean;
  readonly #started: number;
  #drawn: number;
  #last: Progress | undefined;

  constructor(stream: WriteStream, wanted: boolean) {
    this.#stream = stream;
    this.#shown = wanted && stream.isTTY === true;
    this.#started = performance.now();
    this.#drawn = 0;
    this.#last = undefined;
  }

  show(progress: Progress): void {
    this.#last = progress;
    const now = performance.now();
    if (!this.#shown || now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    this.#draw(progress);
  }

  /** Draws the last state and ends the line. */
  end(): void {
    if (!this.#shown || this.#last === undefined) return;
    this.#draw(this.#last);
    this.#stream.write('\n');
  }

  #draw({ loaded, total }: Progress): void {
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = `${inUnits(loaded / Math.max(seconds, 0.001))}/s`;
    this.#stream.write(`\r${progressText(loaded, total)}  ${rate}\x1b[K`);
  }
}

/** A bar and figures: `[######    ]  60%  6.0 MB of 10.0 MB`. */
export function progressText(loaded: number, total: number | undefined): string {
  if (total === undefined || total === 0) return inUnits(loaded);
  const share = Math.min(loaded / total, 1);
  const bar = '#'.repeat(Math.floor(share * WIDTH)).padEnd(WIDTH);
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)}%  ${inUnits(loaded)} of ${inUnits(total)}`;
}

/** Bytes for people to read, in decimal units. */
export function inUnits(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]!}`;
}
