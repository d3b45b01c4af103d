import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WriteQueue } from '../../src/session/write-queue.ts';

describe('a queue of writers', () => {
  test('lets them write one after the other, each on what the one before left', async () => {
    const queue = new WriteQueue<string>();
    const write = (letter: string) =>
      queue.run('key', async (latest = '') => {
        await new Promise(setImmediate);
        return latest + letter;
      });
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(write)), ['a', 'ab', 'abc']);
    assert.equal(queue.size, 0);
    assert.equal(await write('d'), 'd', 'nothing is kept when nobody waits');
  });

  test('goes on after one that failed', async () => {
    const queue = new WriteQueue<string>();
    const failing = queue.run('key', async () => {
      throw new Error('broken');
    });
    const next = queue.run('key', async (latest) => `after ${latest}`);
    await assert.rejects(failing, /broken/);
    assert.equal(await next, 'after undefined');
    assert.equal(queue.size, 0);
  });

  test('keys do not wait for each other', async () => {
    const queue = new WriteQueue<string>();
    let release = (): void => {};
    const first = queue.run('one', () => new Promise((resolve) => (release = () => resolve('first'))));
    assert.equal(await queue.run('other', async () => 'second'), 'second');
    release();
    assert.equal(await first, 'first');
  });
});
