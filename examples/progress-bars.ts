import type { WriteStream } from 'node:tty';
import type { Progress } from 'aiohttp-ts';

const WIDTH = 30;
/** Drawn no more often than this, in milliseconds. */
const INTERVAL = 100;

/** A bar for each of several downloads and one for all of them, redrawn in place; nothing where there is no terminal. */
export class ProgressBars {
  readonly #stream: WriteStream;
  readonly #states: Map<string, Progress>;
  #drawnAt = 0;
  #lines = 0;

  constructor(stream: WriteStream, names: readonly string[]) {
    this.#stream = stream;
    this.#states = new Map(names.map((name) => [name, { loaded: 0, total: undefined }]));
  }

  update(name: string, progress: Progress): void {
    this.#states.set(name, progress);
    const now = performance.now();
    if (now - this.#drawnAt < INTERVAL) return;
    this.#drawnAt = now;
    this.#draw();
  }

  /** Draws the last state; what is printed next stands below it. */
  end(): void {
    this.#draw();
    this.#lines = 0;
  }

  #draw(): void {
    if (!this.#stream.isTTY) return;
    const states = [...this.#states];
    const sum: Progress = {
      loaded: states.reduce((bytes, [, { loaded }]) => bytes + loaded, 0),
      total: states.reduce<number | undefined>(
        (bytes, [, { total }]) => (bytes === undefined || total === undefined ? undefined : bytes + total),
        0,
      ),
    };
    const lines = [...states, ['all', sum] as const].map(
      ([name, progress]) => `${name.padStart(8)} ${bar(progress)}\x1b[K\n`,
    );
    const up = this.#lines === 0 ? '' : `\x1b[${this.#lines}A`;
    this.#stream.write(up + lines.join(''));
    this.#lines = lines.length;
  }
}

function bar({ loaded, total }: Progress): string {
  if (total === undefined) return `${loaded} bytes`;
  const share = total === 0 ? 1 : Math.min(loaded / total, 1);
  return `[${'#'.repeat(Math.floor(share * WIDTH)).padEnd(WIDTH)}] ${Math.floor(share * 100)}%`;
}
