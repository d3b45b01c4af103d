/**
 * What a circuit breaker does: `closed` lets everything through, `open` refuses at once, `half-open` lets one through to see.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Stops asking a server that does not answer, so that callers fail at once instead of each waiting for its deadline. After `retryAfter`
 * it lets one caller try; when that succeeds everything goes on as before.
 */
export class CircuitBreaker {
  state: BreakerState;
  private readonly threshold: number;
  private readonly retryAfter: number;
  private readonly now: () => number;
  private readonly changed: (state: BreakerState) => void;
  private failures: number;
  private openUntil: number;

  /**
   * @param threshold - failures in a row that open it
   * @param retryAfter - ms from then on until the next try
   */
  constructor(
    threshold: number,
    retryAfter: number,
    now: () => number,
    changed: (state: BreakerState) => void,
  ) {
    this.state = 'closed';
    this.threshold = threshold;
    this.retryAfter = retryAfter;
    this.now = now;
    this.changed = changed;
    this.failures = 0;
    this.openUntil = 0;
  }

  /** Whether a caller may go on. The one that `half-open` lets through must report how it went. */
  allows(): boolean {
    if (this.state === 'closed') return true;
    if (this.state === 'half-open' || this.now() < this.openUntil) return false;
    this.become('half-open');
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    // An answer that comes late, after others failed, shows as well that the server is there.
    if (this.state !== 'closed') this.become('closed');
  }

  failed(): void {
    this.failures++;
    if (this.state === 'half-open' || (this.state === 'closed' && this.failures >= this.threshold)) {
      this.openUntil = this.now() + this.retryAfter;
      this.become('open');
    }
  }

  private become(state: BreakerState): void {
    this.state = state;
    this.changed(state);
  }
}
