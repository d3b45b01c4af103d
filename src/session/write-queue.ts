/**
 * Writers of one session in this process, one after the other: those that come later begin with what the one before has written, so that they
 * have nothing to try again for its sake.
 */
export class WriteQueue<V> {
  readonly #tails = new Map<string, Promise<V | undefined>>();

  /** Runs `work` when all earlier ones for this key have ended; it gets what the last one gave. */
  async run(key: string, work: (latest: V | undefined) => Promise<V | undefined>): Promise<V | undefined> {
    const before = this.#tails.get(key);
    // What the one before threw is its own caller's business.
    const mine = before === undefined ? work(undefined) : before.then(work, () => work(undefined));
    this.#tails.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    }
  }

  /** Keys that somebody writes now. */
  get size(): number {
    return this.#tails.size;
  }
}
