/** Something with a deadline. The wheel owns `slot`; the entry only has to keep the fields. */
export interface WheelEntry {
  /** When `expire` is due, in the wheel's time; `Infinity` when there is nothing to wait for. */
  deadline: number;
  /** Tick in whose slot the entry lies, or -1. */
  slot: number;
  /** The deadline passed. May arm again. */
  expire(now: number): void;
}

const SLOTS = 512;

/**
 * One coarse timer for all connections of a server. Moving a deadline further away, which every request does, is one assignment: the
 * entry stays in its slot and is put into a later one only when that slot comes round. Precision is one tick, always late.
 *
 * A tick that comes late itself expires nothing: the event loop stood still, and what came meanwhile has to be read first. The next one does.
 */
export class TimerWheel {
  /** Coarse monotonic time in milliseconds: as fresh as the last tick. */
  now: number;
  readonly tickLength: number;
  readonly #clock: () => number;
  readonly #onTick: () => void;
  readonly #slots: (Set<WheelEntry> | undefined)[];
  #tick: number;
  #excused: boolean;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `clock` gives milliseconds and never goes back; `onTick` runs once a tick, before deadlines. */
  constructor(tickLength: number, onTick: () => void, clock: () => number = () => performance.now()) {
    this.tickLength = tickLength;
    this.#clock = clock;
    this.#onTick = onTick;
    this.now = clock();
    this.#slots = new Array<Set<WheelEntry> | undefined>(SLOTS).fill(undefined);
    this.#tick = Math.floor(this.now / tickLength);
    this.#excused = false;
    this.#timer = undefined;
  }

  /** Starts ticking. The timer never keeps the process alive: the sockets do. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#catchUp();
    this.#timer = setInterval(() => this.#beat(), this.tickLength);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Sets the deadline of `entry` to `delay` milliseconds from now. */
  arm(entry: WheelEntry, delay: number): void {
    // `now` may be a tick old: without the extra tick a deadline could pass early.
    const deadline = this.now + delay + this.tickLength;
    entry.deadline = deadline;
    const slot = this.#slotFor(deadline);
    if (entry.slot !== -1) {
      if (entry.slot <= slot) return;
      this.#slots[entry.slot % SLOTS]?.delete(entry);
    }
    this.#insert(entry, slot);
  }

  /** Forgets `entry`, which may be collected now. */
  remove(entry: WheelEntry): void {
    entry.deadline = Infinity;
    if (entry.slot === -1) return;
    this.#slots[entry.slot % SLOTS]?.delete(entry);
    entry.slot = -1;
  }

  /** Brings the time up to the clock and expires what is due. */
  advance(): void {
    this.#readClock();
    this.#expire();
  }

  #beat(): void {
    const before = this.now;
    this.#readClock();
    this.#excused = !this.#excused && this.now - before > 2 * this.tickLength;
    if (!this.#excused) this.#expire();
  }

  #readClock(): void {
    this.now = this.#clock();
    this.#onTick();
  }

  #expire(): void {
    const { now } = this;
    const last = Math.floor(now / this.tickLength);
    // After a long stall each slot needs to be looked at once at most.
    let tick = Math.max(this.#tick + 1, last - SLOTS + 1);
    this.#tick = last;
    for (; tick <= last; tick++) {
      const due = this.#slots[tick % SLOTS];
      if (due === undefined || due.size === 0) continue;
      this.#slots[tick % SLOTS] = undefined;
      for (const entry of due) this.#visit(entry, now);
    }
  }

  #visit(entry: WheelEntry, now: number): void {
    entry.slot = -1;
    if (entry.deadline <= now) {
      entry.deadline = Infinity;
      entry.expire(now);
    } else if (entry.deadline !== Infinity) {
      this.#insert(entry, this.#slotFor(entry.deadline));
    }
  }

  #slotFor(deadline: number): number {
    const tick = Math.ceil(deadline / this.tickLength);
    return Math.min(Math.max(tick, this.#tick + 1), this.#tick + SLOTS - 1);
  }

  #insert(entry: WheelEntry, slot: number): void {
    entry.slot = slot;
    (this.#slots[slot % SLOTS] ??= new Set()).add(entry);
  }

  #catchUp(): void {
    this.#readClock();
    this.#tick = Math.floor(this.now / this.tickLength);
  }
}
