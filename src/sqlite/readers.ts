import type { Link } from './link.ts';
import type { WaitLimit, Waits } from './waits.ts';

/** One connection of the pool. */
export interface Reader {
  readonly link: Link;
  /** Somebody reads from an open cursor, or in a transaction: what others read here would be as old as that. */
  held: boolean;
}

interface Waiter {
  readonly alone: boolean;
  readonly give: (reader: Reader) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Connections that only read. They are opened when they are needed, at most `limit`; one is kept free of cursors, so that a program that
 * holds many cursors can still ask small questions.
 */
export class Readers {
  private readonly open: () => Link | Promise<Link>;
  private readonly limit: number;
  private readonly waits: Waits;
  private readonly readers: Set<Reader>;
  private readonly waiting: Set<Waiter>;
  /** Those that are being opened. */
  private readonly coming: Set<Promise<void>>;
  /** How many are lost but have not ended yet. */
  private going: number;
  private closed: boolean;

  constructor(open: () => Link | Promise<Link>, limit: number, waits: Waits) {
    this.open = open;
    this.limit = limit;
    this.waits = waits;
    this.readers = new Set();
    this.waiting = new Set();
    this.coming = new Set();
    this.going = 0;
    this.closed = false;
  }

  /** The connections that are open. */
  get links(): readonly Link[] {
    return [...this.readers].map(({ link }) => link);
  }

  /**
   * A connection to read from: `alone`, to be given back by `release`; or together with others, for one statement that leaves no cursor.
   */
  acquire(alone: boolean, limit: WaitLimit): Reader | Promise<Reader> {
    const reader = this.pick(alone);
    if (reader !== undefined) {
      // A thread that is busy already is enough for now; the next statements will find another.
      if (reader.link.pending > 0 && this.mayOpen()) this.openMore();
      return reader;
    }
    if (this.mayOpen()) {
      const opened = this.openOne(alone);
      if (opened !== undefined) return opened;
    }
    return this.waits.until<Reader>(
      (give, fail) => {
        const waiter: Waiter = { alone, give, fail };
        this.waiting.add(waiter);
        return () => {
          this.waiting.delete(waiter);
        };
      },
      // A connection that is being opened is held by nobody: a machine that takes long to start a thread is no reason to give up.
      { ...limit, unless: () => (this.coming.size > 0 ? Promise.all(this.coming) : undefined) },
    );
  }

  /** A connection that is free now; `undefined` when there is none. */
  tryAcquire(alone: boolean): Reader | undefined {
    return this.waiting.size > 0 ? undefined : this.pick(alone);
  }

  release(reader: Reader): void {
    reader.held = false;
    this.serve();
  }

  async close(): Promise<void> {
    this.closed = true;
    // One that is just being opened would stay: its thread, and its file.
    await Promise.all(this.coming);
    const readers = [...this.readers];
    this.readers.clear();
    // A thread that was given up ends when its statement does; nobody waits for that.
    await Promise.all(readers.filter(({ link }) => !link.lost).map(({ link }) => link.close()));
  }

  private mayOpen(): boolean {
    return !this.closed && this.readers.size + this.coming.size + this.going < this.limit;
  }

  private pick(alone: boolean): Reader | undefined {
    let best: Reader | undefined;
    let free = 0;
    for (const reader of this.readers) {
      if (reader.link.lost) this.bury(reader);
      else if (!reader.held) {
        free++;
        if (best === undefined || reader.link.pending < best.link.pending) best = reader;
      }
    }
    if (best === undefined || !alone) return best;
    if (free === 1 && this.limit > 1 && !this.mayOpen()) return undefined;
    best.held = true;
    return best;
  }

  private bury(reader: Reader): void {
    this.readers.delete(reader);
    this.going++;
    const gone = (): void => {
      this.going--;
      this.serve();
    };
    reader.link.close().then(gone, gone);
  }

  /** On the main thread connections open at once. */
  private openOne(alone: boolean): Reader | undefined {
    const link = this.open();
    if (link instanceof Promise) {
      this.awaitOpened(link);
      return undefined;
    }
    const reader: Reader = { link, held: alone };
    this.readers.add(reader);
    return reader;
  }

  private openMore(): void {
    const link = this.open();
    if (link instanceof Promise) this.awaitOpened(link);
    else this.readers.add({ link, held: false });
  }

  private awaitOpened(opening: Promise<Link>): void {
    const coming = opening.then(
      (link) => {
        this.coming.delete(coming);
        this.readers.add({ link, held: false });
        this.serve();
      },
      (error: unknown) => {
        this.coming.delete(coming);
        const [first] = this.waiting;
        if (first === undefined) return;
        this.waiting.delete(first);
        first.fail(error);
        this.serve();
      },
    );
    this.coming.add(coming);
  }

  /** Gives what is free to those who wait, in their order. */
  private serve(): void {
    for (const waiter of this.waiting) {
      const reader = this.pick(waiter.alone);
      if (reader !== undefined) {
        this.waiting.delete(waiter);
        waiter.give(reader);
      } else if (this.mayOpen() && this.coming.size === 0) this.openMore();
    }
  }
}
