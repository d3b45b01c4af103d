import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTask, isCancelled, sleep, suspend } from '../../src/asyncio/index.ts';
import { AsyncResolver, DnsCache, ThreadedResolver } from '../../src/net/index.ts';

function cacheAt(options: { ttl?: number; maxSize?: number } = {}): {
  cache: DnsCache<string>;
  pass: (milliseconds: number) => void;
} {
  let now = 0;
  const cache = new DnsCache<string>({ ttl: 1_000, maxSize: 3, clock: () => now, ...options });
  return { cache, pass: (milliseconds) => void (now += milliseconds) };
}

describe('results of name look-ups', () => {
  test('are good until their time is over', async () => {
    const { cache, pass } = cacheAt();
    assert.equal(cache.get('a'), undefined);
    await cache.lookUp('a', async () => ['1']);
    pass(999);
    assert.deepEqual(cache.get('a'), ['1']);
    pass(1);
    assert.equal(cache.get('a'), undefined);
    assert.equal(cache.size, 0);
  });

  test('begin with another address each time', async () => {
    const { cache } = cacheAt();
    assert.deepEqual(await cache.lookUp('a', async () => ['1', '2', '3']), ['1', '2', '3']);
    const firsts = Array.from({ length: 4 }, () => cache.get('a')![0]);
    assert.deepEqual(firsts, ['2', '3', '1', '2']);
    assert.equal(cache.get('a')!.length, 3);
  });

  test('are bounded: the one not used for longest goes', async () => {
    const { cache } = cacheAt();
    for (const name of ['a', 'b', 'c']) await cache.lookUp(name, async () => [name]);
    cache.get('a');
    await cache.lookUp('d', async () => ['d']);
    assert.equal(cache.size, 3);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((name) => cache.get(name)?.[0]),
      ['a', undefined, 'c', 'd'],
    );
  });

  test('are not kept with a time of 0, and no emptiness is kept', async () => {
    const none = cacheAt({ ttl: 0 });
    await none.cache.lookUp('a', async () => ['1']);
    assert.equal(none.cache.size, 0);
    const { cache } = cacheAt();
    await cache.lookUp('a', async () => []);
    assert.equal(cache.size, 0);
  });

  test('can be forgotten, one or all', async () => {
    const { cache } = cacheAt();
    for (const name of ['a', 'b']) await cache.lookUp(name, async () => [name]);
    cache.clear('a');
    assert.equal(cache.get('a'), undefined);
    assert.deepEqual(cache.get('b'), ['b']);
    cache.clear();
    assert.equal(cache.size, 0);
  });

  test('that come after a clear are not stored', async () => {
    const { cache } = cacheAt();
    let finish: ((addresses: string[]) => void) | undefined;
    const looking = cache.lookUp('a', () => new Promise((resolve) => void (finish = resolve)));
    await sleep(0);
    cache.clear();
    finish!(['1']);
    assert.deepEqual(await looking, ['1']);
    assert.equal(cache.size, 0);
  });
});

describe('look-ups of one name at a time', () => {
  test('are one look-up', async () => {
    const { cache } = cacheAt();
    let calls = 0;
    const find = async (): Promise<string[]> => {
      calls++;
      return ['1'];
    };
    const all = await Promise.all([
      cache.lookUp('a', find),
      cache.lookUp('a', find),
      cache.lookUp('a', find),
    ]);
    assert.equal(calls, 1);
    assert.deepEqual(all, [['1'], ['1'], ['1']]);
  });

  test('fail together, and the next one is a new one', async () => {
    const { cache } = cacheAt();
    let calls = 0;
    const find = async (): Promise<string[]> => {
      calls++;
      throw new Error('no such name');
    };
    const all = await Promise.allSettled([cache.lookUp('a', find), cache.lookUp('a', find)]);
    assert.deepEqual(
      all.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await assert.rejects(cache.lookUp('a', find), /no such name/);
    assert.equal(calls, 2);
  });

  test('are not ended by the cancellation of the one who began', async () => {
    const { cache } = cacheAt();
    let finish: ((addresses: string[]) => void) | undefined;
    const wait = (): Promise<readonly string[]> =>
      suspend((resolve, reject) => {
        cache.lookUp('a', () => new Promise((done) => void (finish = done))).then(resolve, reject);
      });
    const first = createTask(wait);
    await sleep(0);
    const second = createTask(wait);
    await sleep(0);
    first.cancel();
    await assert.rejects(Promise.resolve(first), (error) => isCancelled(error));
    finish!(['1']);
    assert.deepEqual(await second, ['1']);
  });
});

describe('resolvers', () => {
  test('the system knows this machine', async () => {
    const resolver = new ThreadedResolver();
    const found = await resolver.resolve('localhost', 80, 4);
    assert.deepEqual(found[0], { hostname: 'localhost', host: '127.0.0.1', port: 80, family: 4 });
    await resolver.close();
  });

  test('a name server that does not answer is an error', async () => {
    const resolver = new AsyncResolver({ nameservers: ['127.0.0.1:1'], timeout: 50, tries: 1 });
    await assert.rejects(resolver.resolve('host.test'));
    await resolver.close();
  });
});
