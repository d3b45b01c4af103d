import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTask, isCancelled, sleep } from '../../src/asyncio/index.ts';
import { type Address, interleave, raceAddresses } from '../../src/net/index.ts';

const six = (text: string): Address => ({ address: text, family: 6 });
const four = (text: string): Address => ({ address: text, family: 4 });

/** Attempts and timers that a test drives. */
class Track {
  readonly log: string[] = [];
  readonly settle = new Map<string, (error: Error | undefined, result?: string) => void>();
  readonly aborted: string[] = [];
  timer: (() => void) | undefined;

  readonly timers = {
    set: (fn: () => void, delay: number): unknown => {
      assert.equal(this.timer, undefined, 'one timer at a time');
      this.log.push(`timer ${delay}`);
      this.timer = fn;
      return fn;
    },
    clear: (timer: unknown): void => {
      if (this.timer === timer) this.timer = undefined;
    },
  };

  race(addresses: readonly Address[], delay?: number): Promise<string> {
    return raceAddresses<string>(
      addresses,
      ({ address }, settle) => {
        this.log.push(`begin ${address}`);
        this.settle.set(address, settle);
        return () => this.aborted.push(address);
      },
      { delay, timers: this.timers },
    );
  }

  fire(): void {
    const { timer } = this;
    this.timer = undefined;
    timer!();
  }

  fail(address: string): void {
    this.settle.get(address)!(Object.assign(new Error(`${address} refused`), { code: 'ECONNREFUSED' }));
  }

  connect(address: string): void {
    this.settle.get(address)!(undefined, address);
  }
}

describe('the order of addresses', () => {
  const [a, b, c, x, y] = [six('a'), six('b'), six('c'), four('x'), four('y')];
  const cases: readonly (readonly [Address[], number, Address[]])[] = [
    [[], 1, []],
    [[a], 1, [a]],
    [[a, b, c], 1, [a, b, c]],
    [[a, b, c, x, y], 1, [a, x, b, y, c]],
    [[x, y, a], 1, [x, a, y]],
    [[a, b, c, x, y], 2, [a, b, x, c, y]],
    [[a, b, x], 0, [a, b, x]],
    [[a, x, b, y], 1, [a, x, b, y]],
  ];
  for (const [given, count, expected] of cases) {
    const names = (list: readonly Address[]): string => list.map(({ address }) => address).join(' ');
    test(`${names(given)} with ${count} of the first family`, () => {
      assert.equal(names(interleave(given, count)), names(expected));
    });
  }
});

describe('a race', () => {
  const both = [six('a'), four('x'), six('b')];

  test('starts the next attempt after the delay and aborts the losers', async () => {
    const track = new Track();
    const race = track.race(both);
    track.fire();
    assert.deepEqual(track.log, ['timer 250', 'begin a', 'timer 250', 'begin x']);
    track.connect('x');
    assert.equal(await race, 'x');
    assert.deepEqual(track.aborted, ['a']);
    assert.equal(track.timer, undefined);
  });

  test('starts the next attempt at once when one fails', async () => {
    const track = new Track();
    const race = track.race(both, 100);
    track.fail('a');
    assert.deepEqual(track.log, ['timer 100', 'begin a', 'timer 100', 'begin x']);
    track.fail('x');
    track.connect('b');
    assert.equal(await race, 'b');
    assert.deepEqual(track.aborted, []);
  });

  test('a slow one may still win', async () => {
    const track = new Track();
    const race = track.race(both);
    track.fire();
    track.fail('x');
    track.connect('a');
    assert.equal(await race, 'a');
    assert.deepEqual(track.aborted, ['b']);
  });

  test('ends with all errors when all fail', async () => {
    const track = new Track();
    const race = track.race(both);
    track.fire();
    track.fire();
    for (const name of ['b', 'a', 'x']) track.fail(name);
    await assert.rejects(race, (error: AggregateError & { code: string }) => {
      assert.ok(error instanceof AggregateError);
      assert.equal(error.message, 'b refused; a refused; x refused');
      assert.equal(error.code, 'ECONNREFUSED');
      return error.errors.length === 3;
    });
    assert.equal(track.timer, undefined);
  });

  test('with one address has no timer and fails with its error', async () => {
    const track = new Track();
    const race = track.race([six('a')]);
    assert.deepEqual(track.log, ['begin a']);
    track.fail('a');
    await assert.rejects(race, { message: 'a refused' });
  });

  test('without end to the delay goes on only after a failure', async () => {
    const track = new Track();
    const race = track.race(both, Infinity);
    assert.deepEqual(track.log, ['begin a']);
    track.fail('a');
    track.connect('x');
    assert.equal(await race, 'x');
  });

  test('without addresses fails', async () => {
    await assert.rejects(new Track().race([]), RangeError);
  });

  test('a late success of an aborted attempt changes nothing', async () => {
    const track = new Track();
    const race = track.race(both);
    track.fire();
    track.connect('x');
    track.connect('a');
    assert.equal(await race, 'x');
  });

  test('that is cancelled aborts every attempt and its timer', async () => {
    const track = new Track();
    const task = createTask(() => track.race(both));
    await sleep(0);
    track.fire();
    task.cancel();
    await assert.rejects(Promise.resolve(task), (error) => isCancelled(error));
    assert.deepEqual(track.aborted, ['a', 'x']);
    assert.equal(track.timer, undefined);
  });
});
