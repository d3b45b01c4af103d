/** Signals that ask a server to end, and what a shell sees as the exit code of a process that they killed. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

type ExitSignal = keyof typeof EXIT_CODES;

/**
 * The first SIGINT or SIGTERM calls a function; a second one ends the process at once, as the system would have done, so that an
 * operator is never locked in by a clean-up that hangs.
 */
export class ExitSignals {
  readonly #onFirst: () => void;
  #count = 0;
  #watching = false;

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
  }

  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    for (const name of Object.keys(EXIT_CODES)) process.on(name, this.#onSignal);
  }

  /** From here on the signals do what they did before. */
  forget(): void {
    this.#watching = false;
    for (const name of Object.keys(EXIT_CODES)) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (name: ExitSignal): void => {
    this.#count++;
    if (this.#count > 1) process.exit(EXIT_CODES[name]);
    this.#onFirst();
  };
}
