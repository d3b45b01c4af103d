import { outside } from '../asyncio/index.ts';

export interface DnsCacheOptions {
  /** Milliseconds that a result is good for; `Infinity`: for ever. */
  readonly ttl: number;
  /** Most names; the one that was not used for longest goes. */
  readonly maxSize: number;
  /** Milliseconds, never going back. Default: `performance.now`. */
  readonly clock?: (() => number) | undefined;
}

interface Entry<T> {
  readonly addresses: readonly T[];
  readonly expires: number;
  turn: number;
}

/**
 * Results of name look-ups, and look-ups under way: however many ask for a name at a time, it is looked up once. Failures are told to
 * all who wait and not kept.
 */
export class DnsCache<T> {
  readonly #options: DnsCacheOptions;
  readonly #clock: () => number;
  readonly #entries: Map<string, Entry<T>>;
  readonly #flights: Map<string, Promise<readonly T[]>>;

  constructor(options: DnsCacheOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#entries = new Map();
    this.#flights = new Map();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What is known about a name, each time beginning with the next address; `undefined` when nothing is, or not any more. */
  get(name: string): readonly T[] | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    this.#entries.delete(name);
    if (entry.expires <= this.#clock()) return undefined;
    this.#entries.set(name, entry);
    const { addresses } = entry;
    const turn = entry.turn++ % addresses.length;
    return turn === 0 ? addresses : [...addresses.slice(turn), ...addresses.slice(0, turn)];
  }

  /**
   * The look-up of a name that is under way, started when there is none. It belongs to nobody: who waits for it may be cancelled and
   * the others still get its result.
   */
  lookUp(name: string, resolve: () => Promise<readonly T[]>): Promise<readonly T[]> {
    const under = this.#flights.get(name);
    if (under !== undefined) return under;
    const flight = outside(() => this.#fly(name, resolve));
    this.#flights.set(name, flight);
    return flight;
  }

  /** Forgets one name, or all. A look-up that is under way is not stored. */
  clear(name?: string): void {
    if (name === undefined) {
      this.#entries.clear();
      this.#flights.clear();
    } else {
      this.#entries.delete(name);
      this.#flights.delete(name);
    }
  }

  async #fly(name: string, resolve: () => Promise<readonly T[]>): Promise<readonly T[]> {
    let flight: Promise<readonly T[]> | undefined;
    try {
      // The flight is listed when this function comes to its first await.
      await undefined;
      flight = this.#flights.get(name);
      const addresses = await resolve();
      if (flight === this.#flights.get(name)) this.#store(name, addresses);
      return addresses;
    } finally {
      if (flight === this.#flights.get(name)) this.#flights.delete(name);
    }
  }

  #store(name: string, addresses: readonly T[]): void {
    const { ttl, maxSize } = this.#options;
    if (addresses.length === 0 || ttl <= 0 || maxSize <= 0) return;
    this.#entries.delete(name);
    if (this.#entries.size >= maxSize) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    // The one who looked it up begins with the first address, so the next begins with the second.
    this.#entries.set(name, { addresses, expires: this.#clock() + ttl, turn: 1 });
  }
}
