import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TimerWheel, type WheelEntry } from '../../src/net/index.ts';

const TICK = 10;

/** A wheel whose clock the test moves. */
class Clockwork {
  readonly wheel: TimerWheel;
  ticks: number;
  now: number;

  constructor(now = 1000) {
    this.now = now;
    this.ticks = 0;
    this.wheel = new TimerWheel(
      TICK,
      () => {
        this.ticks++;
      },
      () => this.now,
    );
  }

  /** Moves the clock in steps of one tick, as the timer would. */
  pass(time: number): void {
    for (const end = this.now + time; this.now < end; ) {
      this.now = Math.min(end, this.now + TICK);
      this.wheel.advance();
    }
  }

  /** Moves the clock at once: the loop was blocked. */
  jump(time: number): void {
    this.now += time;
    this.wheel.advance();
  }
}

class Entry implements WheelEntry {
  deadline: number;
  slot: number;
  readonly expired: number[];
  again: (() => void) | undefined;

  constructor() {
    this.deadline = Infinity;
    this.slot = -1;
    this.expired = [];
    this.again = undefined;
  }

  expire(now: number): void {
    this.expired.push(now);
    this.again?.();
  }
}

describe('a timer wheel', () => {
  test('expires an entry once, at its deadline or up to two ticks later, never before', () => {
    for (const delay of [0, 1, 9, 10, 11, 100, 5109, 5110, 5111, 5120, 5121, 20_000, 123_456]) {
      const clock = new Clockwork(1003);
      const entry = new Entry();
      clock.now += 7; // the wheel's own time is as old as its last tick
      clock.wheel.arm(entry, delay);
      clock.pass(delay + 5 * TICK);
      assert.equal(entry.expired.length, 1, `${delay}`);
      const late = entry.expired[0]! - (1010 + delay);
      assert.ok(late >= 0 - 7 && late <= 2 * TICK, `${delay} ms came ${late} ms late`);
      assert.equal(entry.slot, -1);
      assert.equal(entry.deadline, Infinity);
      clock.pass(10_000);
      assert.equal(entry.expired.length, 1);
    }
  });

  test('a deadline that moves away is an assignment, and holds', () => {
    const clock = new Clockwork();
    const entry = new Entry();
    for (let round = 0; round < 1000; round++) {
      clock.wheel.arm(entry, 100);
      clock.pass(50);
    }
    assert.deepEqual(entry.expired, []);
    clock.pass(200);
    assert.equal(entry.expired.length, 1);
  });

  test('a deadline that comes nearer holds too', () => {
    const clock = new Clockwork();
    const entry = new Entry();
    clock.wheel.arm(entry, 60_000);
    clock.pass(20);
    clock.wheel.arm(entry, 50);
    clock.pass(100);
    assert.equal(entry.expired.length, 1);
    clock.pass(100_000);
    assert.equal(entry.expired.length, 1);
  });

  test('Infinity and remove switch it off; it can be armed again', () => {
    const clock = new Clockwork();
    const entry = new Entry();
    clock.wheel.arm(entry, 50);
    entry.deadline = Infinity;
    clock.pass(1000);
    clock.wheel.arm(entry, 50);
    clock.wheel.remove(entry);
    assert.equal(entry.slot, -1);
    clock.pass(1000);
    clock.wheel.remove(entry);
    assert.deepEqual(entry.expired, []);
    clock.wheel.arm(entry, 50);
    clock.pass(100);
    assert.equal(entry.expired.length, 1);
  });

  test('an entry may arm itself again when it expires', () => {
    const clock = new Clockwork();
    const entry = new Entry();
    entry.again = () => clock.wheel.arm(entry, 100);
    clock.wheel.arm(entry, 100);
    clock.pass(10_000);
    assert.ok(entry.expired.length > 80 && entry.expired.length <= 100, `${entry.expired.length} times`);
    entry.again = () => clock.wheel.arm(entry, 0);
    clock.pass(1000);
    clock.wheel.remove(entry);
  });

  test('an entry may remove another that is due in the same tick', () => {
    const clock = new Clockwork();
    const entries = [new Entry(), new Entry(), new Entry()];
    for (const entry of entries) {
      entry.again = () => {
        for (const other of entries) if (other !== entry) clock.wheel.remove(other);
      };
      clock.wheel.arm(entry, 50);
    }
    clock.pass(1000);
    assert.equal(
      entries.reduce((sum, entry) => sum + entry.expired.length, 0),
      1,
    );
  });

  test('after a long stall everything that is due expires once, and nothing else', () => {
    const clock = new Clockwork();
    const due = Array.from({ length: 600 }, () => new Entry());
    for (const [index, entry] of due.entries()) clock.wheel.arm(entry, index * 37);
    const later = new Entry();
    clock.wheel.arm(later, 600_000);
    clock.jump(300_000);
    assert.ok(due.every((entry) => entry.expired.length === 1));
    assert.deepEqual(later.expired, []);
    clock.pass(301_000);
    assert.equal(later.expired.length, 1);
    assert.ok(due.every((entry) => entry.expired.length === 1));
  });

  test('thousands of entries at random: each expires once and in time', () => {
    const clock = new Clockwork();
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (seed >>> 8) % below;
    };
    const entries = Array.from({ length: 5000 }, () => ({ entry: new Entry(), due: 0 }));
    for (const item of entries) {
      const delay = random(20_000);
      item.due = clock.now + delay;
      clock.wheel.arm(item.entry, delay);
      if (random(4) === 0) clock.pass(TICK);
    }
    clock.pass(30_000);
    for (const { entry, due } of entries) {
      assert.equal(entry.expired.length, 1);
      assert.ok(
        entry.expired[0]! >= due && entry.expired[0]! <= due + 2 * TICK,
        `${entry.expired[0]} for ${due}`,
      );
    }
  });

  test('onTick runs once a tick, before the deadlines', () => {
    const clock = new Clockwork();
    const entry = new Entry();
    let ticks = 0;
    entry.again = () => {
      ticks = clock.ticks;
    };
    clock.wheel.arm(entry, 0);
    clock.pass(3 * TICK);
    assert.equal(clock.ticks, 3);
    assert.ok(ticks > 0);
  });

  test('start and stop can be repeated, and the timer does not keep the process', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const clock = new Clockwork();
    clock.wheel.start();
    clock.wheel.start();
    const { ticks } = clock;
    clock.now += TICK;
    t.mock.timers.tick(TICK);
    assert.equal(clock.ticks, ticks + 1);
    clock.wheel.stop();
    clock.wheel.stop();
    t.mock.timers.tick(10 * TICK);
    assert.equal(clock.ticks, ticks + 1);
    // What was armed before a pause of the wheel is not forgotten, and time goes on.
    const entry = new Entry();
    clock.now += 100_000;
    clock.wheel.start();
    clock.wheel.arm(entry, 50);
    assert.ok(entry.deadline >= clock.now + 50);
    for (let time = 0; time < 200; time += TICK) {
      clock.now += TICK;
      t.mock.timers.tick(TICK);
    }
    assert.equal(entry.expired.length, 1);
    clock.wheel.stop();
  });

  test('a tick that comes late expires nothing, so that what came meanwhile is read first; the next one does', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const clock = new Clockwork();
    const [idle, busy] = [new Entry(), new Entry()];
    clock.wheel.start();
    for (const entry of [idle, busy]) clock.wheel.arm(entry, 50);
    clock.now += 500;
    t.mock.timers.tick(TICK);
    assert.deepEqual([idle.expired.length, busy.expired.length], [0, 0]);
    assert.equal(clock.wheel.now, clock.now);
    clock.wheel.arm(busy, 50); // its bytes were there
    clock.now += 500;
    t.mock.timers.tick(TICK); // late again: a loop that is always late still ends what it has to
    assert.deepEqual([idle.expired.length, busy.expired.length], [1, 1]);
    clock.wheel.stop();
  });
});
