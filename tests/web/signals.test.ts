import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { FreezableList, Signal } from '../../src/web/signal.ts';

describe('FreezableList', () => {
  test('keeps order, inserts and removes', () => {
    const list = new FreezableList<string>('list');
    list.append('b', 'c');
    list.insert(0, 'a');
    assert.deepEqual([...list], ['a', 'b', 'c']);
    assert.equal(list.length, 3);
    assert.equal(list.at(-1), 'c');
    assert.equal(list.remove('b'), true);
    assert.equal(list.remove('b'), false);
    assert.deepEqual([...list], ['a', 'c']);
  });

  test('refuses every change once frozen and says what is frozen', () => {
    const list = new FreezableList<string>('app.things');
    list.append('a');
    list.freeze();
    assert.equal(list.frozen, true);
    const frozen = { name: 'StateError', code: 'AIO_FROZEN', message: /app\.things cannot change any more/ };
    assert.throws(() => list.append('b'), frozen);
    assert.throws(() => list.insert(0, 'b'), frozen);
    assert.throws(() => list.remove('a'), frozen);
    assert.deepEqual([...list], ['a']);
  });

  test('adds nothing when one of several items is refused', () => {
    const list = new FreezableList<number>('list', (item) => {
      if (item < 0) throw new RangeError('negative');
    });
    assert.throws(() => list.append(1, -1), RangeError);
    assert.equal(list.length, 0);
  });
});

describe('Signal', () => {
  test('awaits its handlers one after another', async () => {
    const signal = new Signal<[string]>('signal');
    const log: string[] = [];
    signal.append(async (value) => {
      log.push(`slow ${value} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`slow ${value} ends`);
    });
    signal.append((value) => void log.push(`fast ${value}`));
    await signal.send('x');
    assert.deepEqual(log, ['slow x begins', 'slow x ends', 'fast x']);
  });

  test('stops at the first handler that throws', async () => {
    const signal = new Signal<[]>('signal');
    const log: string[] = [];
    signal.append(() => {
      throw new Error('first');
    });
    signal.append(() => void log.push('second'));
    await assert.rejects(signal.send(), /first/);
    assert.deepEqual(log, []);
  });

  test('takes functions only', () => {
    const signal = new Signal<[]>('signal');
    assert.throws(() => signal.append(null as never), { name: 'TypeError', message: /function, got null/ });
  });

  test('types its arguments', () => {
    expectTypeOf<Parameters<Signal<[a: number, b: string]>['send']>>().toEqualTypeOf<
      [a: number, b: string]
    >();
  });
});
