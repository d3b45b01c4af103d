import { currentScope, type Scope } from './context.ts';
import { takePending, Wait } from './suspend.ts';

class QueuedWait<T, P> extends Wait<T> {
  readonly payload: P;
  queue: WaitQueue<T, P> | undefined;
  before: QueuedWait<T, P> | undefined;
  after: QueuedWait<T, P> | undefined;

  constructor(scope: Scope | undefined, label: string, payload: P) {
    super(scope, label);
    this.payload = payload;
    this.queue = undefined;
    this.before = undefined;
    this.after = undefined;
  }

  protected override disarm(): void {
    this.queue?.remove(this);
  }
}

/**
 * Those who wait for a lock, an item, a place: first come, first served. A cancelled one leaves the queue at once, wherever it stands
 * (a linked list: in the middle of a million, too).
 *
 * Whoever is woken has been given what it waited for: nothing has to be asked again, and nothing is lost when it is cancelled
 * before it runs, because the cancellation then meets its next wait.
 */
export class WaitQueue<T, P = undefined> {
  private first: QueuedWait<T, P> | undefined;
  private last: QueuedWait<T, P> | undefined;
  private count: number;

  constructor() {
    this.first = undefined;
    this.last = undefined;
    this.count = 0;
  }

  get size(): number {
    return this.count;
  }

  /** Waits at the end of the queue. */
  enter(label: string, payload: P): Promise<T> {
    const scope = currentScope();
    const due = takePending(scope);
    if (due !== undefined) return Promise.reject(due);
    return this.append(new QueuedWait<T, P>(scope?.task === undefined ? undefined : scope, label, payload));
  }

  /** Waits at the end of the queue, and cannot be cancelled: for what must be taken back before an error can go on. */
  enterUncancellable(label: string, payload: P): Promise<T> {
    return this.append(new QueuedWait<T, P>(undefined, label, payload));
  }

  /** What the first in the queue brought along. */
  peek(): P | undefined {
    return this.first?.payload;
  }

  /** Wakes the first; false when nobody waits. */
  wake(value: T): boolean {
    const { first } = this;
    if (first === undefined) return false;
    this.remove(first);
    first.complete(value);
    return true;
  }

  /** Ends the first one's wait with an error; false when nobody waits. */
  refuse(error: unknown): boolean {
    const { first } = this;
    if (first === undefined) return false;
    this.remove(first);
    first.fail(error);
    return true;
  }

  /** @internal */
  remove(wait: QueuedWait<T, P>): void {
    if (wait.queue !== this) return;
    const { before, after } = wait;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    wait.queue = undefined;
    wait.before = undefined;
    wait.after = undefined;
    this.count--;
  }

  private append(wait: QueuedWait<T, P>): Promise<T> {
    wait.queue = this;
    wait.before = this.last;
    if (this.last === undefined) this.first = wait;
    else this.last.after = wait;
    this.last = wait;
    this.count++;
    return wait.promise;
  }
}
