import { outside } from '../asyncio/index.ts';

/** Something that waits and can be told that its time is over. */
export abstract class Waiting {
  /** @internal */
  since: number = 0;
  /** @internal */
  before: Waiting | undefined = undefined;
  /** @internal */
  behind: Waiting | undefined = undefined;
  /** @internal */
  listed: boolean = false;

  /** Called at most once, when the deadline has come. */
  abstract expire(): void;
}

/** Ticks in one deadline. */
const TICKS = 8;

/**
 * One coarse timer for all that wait equally long: a list in the order of time, looked at eight times in a deadline. A wait ends at its deadline
 * at the latest and an eighth of it earlier at most. (A timer for each command costs node-redis six times the command itself.)
 *
 * A look that comes late ends nothing: the event loop stood still, and the answers that came meanwhile have to be read first. The next one does.
 */
export class Deadlines {
  private readonly milliseconds: number;
  private readonly now: () => number;
  private first: Waiting | undefined = undefined;
  private last: Waiting | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private looked = 0;
  private excused = false;
  private readonly tick: () => void = () => this.look();

  constructor(milliseconds: number, now: () => number) {
    this.milliseconds = milliseconds;
    this.now = now;
  }

  add(waiting: Waiting): void {
    waiting.since = this.now();
    waiting.before = this.last;
    waiting.listed = true;
    if (this.last === undefined) this.first = waiting;
    else this.last.behind = waiting;
    this.last = waiting;
    if (this.timer === undefined) {
      this.looked = waiting.since;
      this.timer = outside(() => setInterval(this.tick, this.milliseconds / TICKS));
    }
  }

  remove(waiting: Waiting): void {
    if (!waiting.listed) return;
    const { before, behind } = waiting;
    if (before === undefined) this.first = behind;
    else before.behind = behind;
    if (behind === undefined) this.last = before;
    else behind.before = before;
    waiting.before = undefined;
    waiting.behind = undefined;
    waiting.listed = false;
  }

  private look(): void {
    const now = this.now();
    const tick = this.milliseconds / TICKS;
    this.excused = !this.excused && now - this.looked > 2 * tick;
    this.looked = now;
    if (this.excused) return;
    // What would be late at the next look ends now.
    const latest = now - this.milliseconds + tick;
    for (let waiting = this.first; waiting !== undefined && waiting.since <= latest; waiting = this.first) {
      this.remove(waiting);
      waiting.expire();
    }
    if (this.first === undefined) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }
}
