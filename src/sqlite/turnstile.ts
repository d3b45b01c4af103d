import type { WaitLimit, Waits } from './waits.ts';

interface Waiter {
  readonly shared: boolean;
  readonly enter: () => void;
}

/**
 * Who may write now. Transactions hold it alone; single statements may hold it together, because the connection runs them one after the other
 * anyway. Strictly in the order of arrival, so that nobody waits for ever.
 */
export class Turnstile {
  private readonly waits: Waits;
  private readonly waiting: Set<Waiter>;
  private sharing: number;
  private taken: boolean;

  constructor(waits: Waits) {
    this.waits = waits;
    this.waiting = new Set();
    this.sharing = 0;
    this.taken = false;
  }

  /** How many wait. */
  get length(): number {
    return this.waiting.size;
  }

  /** Goes in at once, when nobody is in the way. */
  tryEnter(shared: boolean): boolean {
    if (this.waiting.size > 0 || !this.fits(shared)) return false;
    this.take(shared);
    return true;
  }

  /** Waits for the turn. */
  async enter(shared: boolean, limit: WaitLimit): Promise<void> {
    limit.signal?.throwIfAborted();
    if (this.tryEnter(shared)) return;
    await this.waits.until<void>((resolve) => {
      const waiter: Waiter = { shared, enter: resolve };
      this.waiting.add(waiter);
      return () => {
        this.waiting.delete(waiter);
        this.admit();
      };
    }, limit);
  }

  leave(shared: boolean): void {
    if (shared) this.sharing--;
    else this.taken = false;
    if (this.waiting.size > 0) this.admit();
  }

  private fits(shared: boolean): boolean {
    return !this.taken && (shared || this.sharing === 0);
  }

  private take(shared: boolean): void {
    if (shared) this.sharing++;
    else this.taken = true;
  }

  private admit(): void {
    for (const waiter of this.waiting) {
      if (!this.fits(waiter.shared)) return;
      this.waiting.delete(waiter);
      this.take(waiter.shared);
      waiter.enter();
    }
  }
}
