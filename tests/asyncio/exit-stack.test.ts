import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import * as asyncio from '../../src/asyncio/index.ts';

const { aclosing, asyncContextManager, AsyncExitStack, ExceptionGroup } = asyncio;

function resource(log: string[]): (name: string) => asyncio.AsyncContextManager<number> {
  return asyncContextManager(async function* (name: string) {
    log.push(`open ${name}`);
    try {
      yield name.length;
    } catch (error) {
      log.push(`error in ${name}: ${(error as Error).message}`);
      throw error;
    } finally {
      log.push(`finally ${name}`);
    }
    log.push(`after ${name}`);
  });
}

describe('asyncContextManager', () => {
  test('use: set-up, the body with the value, and all that comes after yield', async () => {
    const log: string[] = [];
    const result = await resource(log)('db').use((n) => {
      expectTypeOf(n).toEqualTypeOf<number>();
      log.push('body');
      return n * 2;
    });
    assert.equal(result, 4);
    assert.deepEqual(log, ['open db', 'body', 'finally db', 'after db']);
  });

  test('use: an error of the body is thrown at the yield', async () => {
    const log: string[] = [];
    const error = new RangeError('body');
    await assert.rejects(
      resource(log)('db').use(() => Promise.reject(error)),
      (thrown) => thrown === error,
    );
    assert.deepEqual(log, ['open db', 'error in db: body', 'finally db']);

    const forgiving = asyncContextManager(async function* () {
      try {
        yield 1;
      } catch {
        // dealt with
      }
    });
    assert.equal(
      await forgiving().use(() => {
        throw new Error('forgiven');
      }),
      undefined,
    );
    const translating = asyncContextManager(async function* () {
      try {
        yield 1;
      } catch (error) {
        throw new TypeError('translated', { cause: error });
      }
    });
    await assert.rejects(
      translating().use(() => Promise.reject(error)),
      { name: 'TypeError', message: 'translated' },
    );
  });

  test('enter: the block form', async () => {
    const log: string[] = [];
    {
      await using db = await resource(log)('db').enter();
      log.push(`value ${db.value}`);
      await db[Symbol.asyncDispose]();
    }
    assert.deepEqual(log, ['open db', 'value 2', 'finally db', 'after db']);
  });

  test('no yield, two yields, entered twice', async () => {
    const none = asyncContextManager(async function* (): AsyncGenerator<number> {});
    await assert.rejects(none().enter(), { code: 'AIO_INVALID_STATE', message: /without a 'yield'/ });
    let closed = false;
    const two = asyncContextManager(async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        closed = true;
      }
    });
    await assert.rejects(
      two().use(() => {}),
      /yielded a second time/,
    );
    assert.equal(closed, true);
    const once = resource([])('x');
    await once.use(() => {});
    await assert.rejects(once.enter(), /only once/);
  });
});

describe('AsyncExitStack', () => {
  test('releases everything in the reverse order', async () => {
    const log: string[] = [];
    {
      await using stack = new AsyncExitStack();
      assert.equal(await stack.enter(resource(log)('db')), 2);
      const sync = await stack.enter({ [Symbol.dispose]: () => void log.push('sync') });
      assert.equal(typeof sync, 'object');
      await stack.enter({ [Symbol.asyncDispose]: async () => void log.push('async') });
      stack.callback((a: number, b: string) => log.push(`callback ${a}${b}`), 1, 'x');
    }
    assert.deepEqual(log, ['open db', 'callback 1x', 'async', 'sync', 'finally db', 'after db']);
  });

  test('every release runs; one error is thrown as it is, several as a group', async () => {
    const log: string[] = [];
    const stack = new AsyncExitStack();
    stack.callback(() => log.push('first in'));
    stack.callback(() => Promise.reject(new RangeError('one')));
    await assert.rejects(stack.aclose(), RangeError);
    assert.deepEqual(log, ['first in']);
    stack.callback(() => Promise.reject(new RangeError('one')));
    stack.callback(() => Promise.reject(new TypeError('two')));
    await assert.rejects(stack.aclose(), (error) => {
      assert.ok(error instanceof ExceptionGroup);
      assert.deepEqual(error.errors.map(String), ['TypeError: two', 'RangeError: one']);
      return true;
    });
    await stack.aclose();
  });

  test('popAll moves everything', async () => {
    const log: string[] = [];
    const stack = new AsyncExitStack();
    stack.callback(() => log.push('released'));
    const other = stack.popAll();
    await stack.aclose();
    assert.deepEqual(log, []);
    await other.aclose();
    assert.deepEqual(log, ['released']);
  });
});

test('aclosing closes a generator that is left in the middle', async () => {
  let closed = 0;
  async function* numbers(): AsyncGenerator<number> {
    try {
      for (let n = 0; ; n++) yield n;
    } finally {
      closed++;
    }
  }
  const seen: number[] = [];
  {
    await using all = aclosing(numbers());
    const iterator = all[Symbol.asyncIterator]();
    seen.push((await iterator.next()).value, (await iterator.next()).value);
  }
  assert.deepEqual([seen, closed], [[0, 1], 1]);
});
