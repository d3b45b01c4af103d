import { QueueEmpty, QueueFull, QueueShutDown } from './errors.ts';
import { WaitQueue } from './wait-queue.ts';

/** Where a queue keeps its items. */
interface Store<T> {
  readonly size: number;
  add(item: T): void;
  /** Only when it is not empty. */
  take(): T;
}

/** First in, first out: a ring that doubles, since `Array.shift` moves everything. */
class Ring<T> implements Store<T> {
  size = 0;
  private head = 0;
  private slots: (T | undefined)[] = new Array(16);

  add(item: T): void {
    if (this.size === this.slots.length) this.grow();
    this.slots[(this.head + this.size) & (this.slots.length - 1)] = item;
    this.size++;
  }

  take(): T {
    const item = this.slots[this.head] as T;
    this.slots[this.head] = undefined;
    this.head = (this.head + 1) & (this.slots.length - 1);
    this.size--;
    // A queue that was long once does not keep the room for ever.
    if (this.size === 0 && this.slots.length > 1_024) {
      this.slots = new Array(16);
      this.head = 0;
    }
    return item;
  }

  private grow(): void {
    const slots: (T | undefined)[] = new Array(this.slots.length * 2);
    for (let i = 0; i < this.size; i++) slots[i] = this.slots[(this.head + i) & (this.slots.length - 1)];
    this.slots = slots;
    this.head = 0;
  }
}

/** Last in, first out. */
class Stack<T> implements Store<T> {
  private readonly items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  add(item: T): void {
    this.items.push(item);
  }

  take(): T {
    return this.items.pop() as T;
  }
}

/** The least first: a binary heap. Items that compare equal come out in the order in which they came in. */
class Heap<T> implements Store<T> {
  private readonly items: { item: T; order: number }[] = [];
  private readonly compare: (a: T, b: T) => number;
  private order = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.compare = compare;
  }

  get size(): number {
    return this.items.length;
  }

  add(item: T): void {
    const { items } = this;
    let at = items.length;
    items.push({ item, order: this.order++ });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.less(at, parent)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  take(): T {
    const { items } = this;
    const top = items[0]!;
    const last = items.pop()!;
    if (items.length > 0) {
      items[0] = last;
      this.sink();
    }
    return top.item;
  }

  private sink(): void {
    const { length } = this.items;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      let least = at;
      if (left < length && this.less(left, least)) least = left;
      if (left + 1 < length && this.less(left + 1, least)) least = left + 1;
      if (least === at) return;
      this.swap(at, least);
      at = least;
    }
  }

  private less(i: number, j: number): boolean {
    const a = this.items[i]!;
    const b = this.items[j]!;
    const order = this.compare(a.item, b.item);
    return order === 0 ? a.order < b.order : order < 0;
  }

  private swap(i: number, j: number): void {
    const a = this.items[i]!;
    this.items[i] = this.items[j]!;
    this.items[j] = a;
  }
}

/**
 * Items from those who put to those who get, first in, first out. An item goes directly to whoever has waited longest for one;
 * cancelling a waiting `get` or `put` loses nothing.
 *
 * `for await (const item of queue)` gets items until the queue is shut down and empty.
 *
 * Source: `asyncio.Queue`.
 *
 * @example
 * ```ts
 * import { createTask, Queue } from 'aiohttp-ts/asyncio';
 * const queue = new Queue<number>(10);
 * const consumer = createTask(async () => {
 *   let sum = 0;
 *   for await (const n of queue) sum += n;
 *   return sum;
 * });
 * for (const n of [1, 2, 3]) await queue.put(n);
 * queue.shutdown();
 * console.log(await consumer); // 6
 * ```
 */
export class Queue<T> implements AsyncIterable<T> {
  /** How many items it holds at most; 0: any number. */
  readonly maxsize: number;
  private readonly items: Store<T>;
  private readonly getters: WaitQueue<T>;
  private readonly putters: WaitQueue<void, T>;
  private readonly joiners: WaitQueue<void>;
  private unfinished: number;
  private isShutDown: boolean;

  /**
   * @param maxsize how many items it holds at most; default 0: any number
   * @throws RangeError when it is not a whole number
   */
  constructor(maxsize?: number);
  /** @internal */
  constructor(maxsize: number, items: Store<T>);
  constructor(maxsize = 0, items: Store<T> = new Ring<T>()) {
    if (!Number.isInteger(maxsize) && maxsize !== Number.POSITIVE_INFINITY) {
      throw new RangeError(`the maxsize of a queue is a whole number, got ${maxsize}`);
    }
    this.maxsize = Math.max(maxsize, 0);
    this.items = items;
    this.getters = new WaitQueue();
    this.putters = new WaitQueue();
    this.joiners = new WaitQueue();
    this.unfinished = 0;
    this.isShutDown = false;
  }

  /** How many items are in it. */
  qsize(): number {
    return this.items.size;
  }

  /** Whether no item is in it. */
  empty(): boolean {
    return this.items.size === 0;
  }

  /** Whether it holds `maxsize` items. */
  full(): boolean {
    return this.maxsize > 0 && this.items.size >= this.maxsize;
  }

  /**
   * Puts an item in; waits while the queue is full.
   *
   * @throws QueueShutDown when the queue is, or meanwhile was, shut down
   * @throws CancelledError when the task is cancelled; the item is not in the queue then
   */
  put(item: T): Promise<void> {
    if (!this.isShutDown && this.full()) return this.putters.enter('Queue.put', item);
    try {
      this.putNowait(item);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Puts an item in, at once.
   *
   * @throws QueueFull when there is no room
   * @throws QueueShutDown when the queue was shut down
   */
  putNowait(item: T): void {
    if (this.isShutDown) throw new QueueShutDown('The queue was shut down: nothing can be put in.');
    if (this.full()) throw new QueueFull(`The queue holds ${this.maxsize} items already.`);
    this.admit(item);
  }

  /**
   * Takes the next item; waits while there is none.
   *
   * @throws QueueShutDown when the queue was shut down and is empty
   * @throws CancelledError when the task is cancelled; no item is lost
   */
  get(): Promise<T> {
    if (this.items.size === 0 && !this.isShutDown) return this.getters.enter('Queue.get', undefined);
    try {
      return Promise.resolve(this.getNowait());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Takes the next item, at once.
   *
   * @throws QueueEmpty when there is none
   * @throws QueueShutDown when the queue was shut down and is empty
   */
  getNowait(): T {
    if (this.items.size === 0) {
      if (this.isShutDown) throw new QueueShutDown('The queue was shut down, and nothing is left in it.');
      throw new QueueEmpty('The queue is empty.');
    }
    const item = this.items.take();
    if (this.putters.size > 0) {
      this.admit(this.putters.peek() as T);
      this.putters.wake();
    }
    return item;
  }

  /**
   * Tells that an item which was taken has been dealt with, see `join`.
   *
   * @throws RangeError when called more often than there were items
   */
  taskDone(): void {
    if (this.unfinished <= 0) throw new RangeError('task_done() called too many times');
    this.finishOne();
  }

  /**
   * Waits until every item that was put in has been taken and dealt with (`taskDone`).
   *
   * @throws CancelledError when the task is cancelled
   */
  join(): Promise<void> {
    return this.unfinished === 0 ? Promise.resolve() : this.joiners.enter('Queue.join', undefined);
  }

  /**
   * Ends the queue: `put` throws `QueueShutDown` from now on, `get` when nothing is left. Those who wait are told too.
   *
   * Source: `asyncio.Queue.shutdown` (Python 3.13).
   *
   * @param immediate whether what is in the queue is thrown away; default false
   */
  shutdown(immediate = false): void {
    this.isShutDown = true;
    if (immediate) {
      while (this.items.size > 0) {
        this.items.take();
        if (this.unfinished > 0) this.finishOne();
      }
    }
    while (this.putters.refuse(new QueueShutDown('The queue was shut down: nothing can be put in.'))) {
      // each in its turn
    }
    while (this.getters.refuse(new QueueShutDown('The queue was shut down, and nothing is left in it.'))) {
      // getters wait only when the queue is empty
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      let item: T;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof QueueShutDown) return;
        throw error;
      }
      yield item;
    }
  }

  private admit(item: T): void {
    this.unfinished++;
    if (!this.getters.wake(item)) this.items.add(item);
  }

  private finishOne(): void {
    if (--this.unfinished > 0) return;
    while (this.joiners.wake()) {
      // each in its turn
    }
  }
}

/** A queue that gives the item that was put in last. Source: `asyncio.LifoQueue`. */
export class LifoQueue<T> extends Queue<T> {
  /** @param maxsize how many items it holds at most; default 0: any number */
  constructor(maxsize = 0) {
    super(maxsize, new Stack<T>());
  }
}

/** What a {@link PriorityQueue} orders by when it is given no comparison: tuples are compared element by element, as in Python. */
function byValue(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    const shorter = Math.min(a.length, b.length);
    for (let i = 0; i < shorter; i++) {
      const order = byValue(a[i], b[i]);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

/**
 * A queue that gives the least item first; equal ones in the order in which they came.
 *
 * Source: `asyncio.PriorityQueue`.
 *
 * @example
 * ```ts
 * import { PriorityQueue } from 'aiohttp-ts/asyncio';
 * const jobs = new PriorityQueue<[priority: number, name: string]>();
 * jobs.putNowait([2, 'later']);
 * jobs.putNowait([1, 'first']);
 * console.log((await jobs.get())[1]); // first
 * ```
 */
export class PriorityQueue<T> extends Queue<T> {
  /**
   * @param maxsize how many items it holds at most; default 0: any number
   * @param compare as for `Array.sort`; default: `<`, and arrays element by element
   */
  constructor(maxsize = 0, compare: (a: T, b: T) => number = byValue) {
    super(maxsize, new Heap<T>(compare));
  }
}
