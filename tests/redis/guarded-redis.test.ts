import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClient, createClientPool, createCluster, createSentinel } from '@redis/client';
import { expectTypeOf } from 'expect-type';
import { cancellable, createTask, currentTask, isCancelled, sleep } from '../../src/asyncio/index.ts';
import {
  type BreakerState,
  GuardedRedis,
  type RedisClientLike,
  RedisScript,
  RedisUnavailableError,
} from '../../src/redis/index.ts';
import {
  connectClient,
  RedisCluster,
  RedisServer,
  redisMissing,
  type TestRedisClient,
} from './redis-server.ts';

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('it did not fail');
}

/** A client whose answers the test gives. */
class ScriptedClient {
  readonly calls: string[][] = [];
  readonly #answers: (() => Promise<unknown>)[] = [];

  answer(value: unknown): this {
    this.#answers.push(async () => {
      if (value instanceof Error) throw value;
      return value;
    });
    return this;
  }

  silence(): this {
    this.#answers.push(() => new Promise(() => {}));
    return this;
  }

  sendCommand(args: string[]): Promise<unknown> {
    this.calls.push(args);
    const answer = this.#answers.shift();
    return answer === undefined ? Promise.resolve('OK') : answer();
  }
}

const get = ['GET', 'key'];

describe('a guarded client', () => {
  test('is any that can send a command', async () => {
    const calls: unknown[] = [];
    async function plain(args: string[]): Promise<void> {
      calls.push([args]);
    }
    async function sentinel(readonly: unknown, args: string[], _options?: unknown): Promise<void> {
      calls.push([readonly, args]);
    }
    async function shards(key: unknown, readonly: unknown, args: string[], _options: unknown): Promise<void> {
      calls.push([key, readonly, args]);
    }
    async function call(...args: string[]): Promise<void> {
      calls.push(args);
    }
    const threeParameters = Object.defineProperty(sentinel, 'length', { value: 3 });
    const clients: [RedisClientLike, unknown[], boolean][] = [
      [{ sendCommand: plain }, [get], false],
      [{ sendCommand: threeParameters }, [false, get], false],
      [{ sendCommand: shards } as RedisClientLike, ['key', false, get], true],
      [{ call }, get, false],
    ];
    for (const [client, expected, cluster] of clients) {
      const redis = new GuardedRedis(client);
      await redis.command(get, 'key');
      assert.deepEqual(calls.pop(), expected);
      assert.equal(redis.cluster, cluster);
    }
  });

  test('refuses what cannot send one', () => {
    for (const value of [undefined, null, 7, {}, { sendCommand: 1 }]) {
      assert.throws(() => new GuardedRedis(value as unknown as RedisClientLike), {
        code: 'AIO_REDIS_CLIENT',
      });
    }
    const client = new ScriptedClient();
    for (const options of [{ deadline: 0 }, { failures: -1 }, { retryAfter: Number.NaN }]) {
      assert.throws(() => new GuardedRedis(client, options), { code: 'AIO_REDIS_OPTION' });
    }
    const redis = new GuardedRedis(client);
    assert.equal(GuardedRedis.of(redis), redis);
  });

  test('takes the clients of node-redis as they are', () => {
    expectTypeOf<TestRedisClient>().toExtend<RedisClientLike>();
    expectTypeOf<Awaited<ReturnType<RedisCluster['connect']>>>().toExtend<RedisClientLike>();
    const pool = createClientPool({});
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] });
    const cluster = createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] });
    const clients: RedisClientLike[] = [createClient(), pool, sentinel, cluster];
    assert.deepEqual(
      clients.map((client) => new GuardedRedis(client).cluster),
      [false, false, false, true],
    );
    // Sentinel is told that no replica may answer: its sendCommand has one parameter more.
    assert.deepEqual(
      [createClient(), pool, sentinel, cluster].map(({ sendCommand }) => sendCommand.length),
      [2, 2, 3, 4],
    );
  });

  test('ends a command that is not answered, with one timer for all', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const client = new ScriptedClient().silence().silence();
    const redis = new GuardedRedis(client, { deadline: 4 });
    const errors = Promise.all([rejection(redis.command(get)), rejection(redis.command(get))]);
    // Real time passes for the clock, the timer is the test's.
    const end = performance.now() + 6;
    while (performance.now() < end);
    t.mock.timers.tick(1);
    t.mock.timers.tick(1);
    for (const error of await errors) {
      assert.ok(error instanceof RedisUnavailableError);
      assert.deepEqual([error.reason, error.code], ['deadline', 'AIO_REDIS_UNAVAILABLE']);
    }
  });

  test('is not given up for an event loop that stood still: what came meanwhile is read first', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    let answer!: (value: unknown) => void;
    const redis = new GuardedRedis(
      { sendCommand: (_args: string[]) => new Promise((resolve) => (answer = resolve)) },
      { deadline: 8 },
    );
    const value = redis.command(get);
    const end = performance.now() + 12;
    while (performance.now() < end);
    t.mock.timers.tick(1);
    answer('in time');
    assert.equal(await value, 'in time');
  });

  test('is not asked for a while after failures in a row', async () => {
    const down = new Error('connect ECONNREFUSED');
    const client = new ScriptedClient().answer(down).answer('1').answer(down).answer(down).answer(down);
    const states: BreakerState[] = [];
    const redis = new GuardedRedis(client, {
      failures: 3,
      retryAfter: 60_000,
      onStateChange: (state) => states.push(state),
    });
    const reasons: unknown[] = [];
    for (let count = 0; count < 7; count++) {
      reasons.push(
        await redis.command(get).then(
          () => 'answer',
          (error) => error.reason,
        ),
      );
    }
    assert.deepEqual(reasons, [
      'connection',
      'answer',
      ...['connection', 'connection', 'connection'],
      ...['circuit-open', 'circuit-open'],
    ]);
    assert.equal(client.calls.length, 5);
    assert.deepEqual(states, ['open']);
    assert.equal(redis.state, 'open');
  });

  test('tells a refused command from an ill server', async () => {
    const cases: [message: string, ill: boolean][] = [
      ['WRONGTYPE Operation against a key holding the wrong kind of value', false],
      ['ERR unknown command', false],
      ['LOADING Redis is loading the dataset in memory', true],
      ['CLUSTERDOWN The cluster is down', true],
      ["READONLY You can't write against a read only replica.", true],
      ['NOAUTH Authentication required.', true],
      ['WRONGPASS invalid username-password pair or user is disabled.', true],
      ['ERR max number of clients reached', true],
      ["READONLY You can't write against a read only replica. script: 2f1d, on @user_script:5.", true],
      // Redis 6 and older.
      [
        "ERR Error running script (call to f_2f1d): @user_script:5: @user_script: 5: -OOM command not allowed when used memory > 'maxmemory'.",
        true,
      ],
      ['ERR Error running script (call to f_2f1d): @user_script:5: user_script:5: attempt to compare', false],
      ['MOVED 3999 127.0.0.1:6381', false],
      ['NOPERM this user has no permissions to run the evalsha command', false],
      ['Socket closed unexpectedly', true],
      ['The client is closed', true],
    ];
    for (const [message, ill] of cases) {
      const original = new Error(message);
      const error = await rejection(new GuardedRedis(new ScriptedClient().answer(original)).command(get));
      assert.equal(error instanceof RedisUnavailableError, ill, message);
      assert.equal(ill ? (error as Error).cause : error, original);
    }
  });

  test('sends the text of a script only when Redis does not have it', async () => {
    const script = new RedisScript('return 1');
    const client = new ScriptedClient().answer(new Error('NOSCRIPT No matching script.')).answer(1).answer(1);
    const redis = new GuardedRedis(client);
    assert.equal(await redis.run(script, ['key'], ['argument']), 1);
    assert.equal(await redis.run(script, ['key'], ['argument']), 1);
    assert.deepEqual(
      client.calls.map((args) => args[0]),
      ['EVALSHA', 'EVAL', 'EVALSHA'],
    );
    assert.deepEqual(client.calls[1], ['EVAL', 'return 1', '1', 'key', 'argument']);
  });

  test('a task that was cancelled before it asked was let through to see, never told, and nobody else was let through', async () => {
    const client = new ScriptedClient().answer(new Error('Socket closed unexpectedly'));
    const redis = new GuardedRedis(client, { failures: 1, retryAfter: 1 });
    await rejection(redis.command(get));
    await sleep(5);
    const task = createTask(async () => {
      currentTask()!.cancel();
      await redis.command(get);
    });
    assert.ok(isCancelled(await rejection(Promise.resolve(task))));
    assert.equal(await redis.command(get), 'OK');
    assert.equal(redis.state, 'closed');
  });

  test('an onStateChange that throws lets nobody wait', async () => {
    const uncaught: unknown[] = [];
    const mistake = new Error('a mistake of the callback');
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    try {
      const redis = new GuardedRedis(new ScriptedClient().silence(), {
        deadline: 40,
        failures: 1,
        onStateChange() {
          throw mistake;
        },
      });
      assert.equal(((await rejection(redis.command(get))) as RedisUnavailableError).reason, 'deadline');
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(uncaught, [mistake]);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });

  test('a wait ends with the task that waits', async () => {
    const redis = new GuardedRedis(new ScriptedClient().silence(), { deadline: 50 });
    const task = createTask(() => redis.command(get));
    await cancellable(Promise.resolve());
    task.cancel();
    assert.ok(isCancelled(await rejection(Promise.resolve(task))));
  });
});

describe('with real servers', { skip: redisMissing }, () => {
  let server: RedisServer;
  let client: TestRedisClient;
  before(async () => {
    server = await RedisServer.start();
    client = await connectClient(server.url);
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  test('runs scripts', async () => {
    const redis = new GuardedRedis(client, { deadline: 8_000 });
    const script = new RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    assert.equal(await redis.run(script, ['count'], ['2']), 2);
    assert.equal(await redis.run(script, ['count'], ['3']), 5);
  });

  test('a frozen server is given up within the deadline, and used again when it is back', async () => {
    const redis = new GuardedRedis(client, { deadline: 200, retryAfter: 1_000, failures: 2 });
    await client.sendCommand(['SET', 'key', 'value']);
    server.freeze();
    try {
      const errors = await Promise.all([1, 2, 3].map(() => rejection(redis.command(get, 'key'))));
      for (const error of errors) assert.equal((error as RedisUnavailableError).reason, 'deadline');
      assert.equal(
        ((await rejection(redis.command(get, 'key'))) as RedisUnavailableError).reason,
        'circuit-open',
      );
    } finally {
      server.thaw();
    }
    for (;;) {
      const value = await redis.command(get, 'key').catch(() => undefined);
      if (value === 'value') break;
      await sleep(10);
    }
  });

  test('a server that was killed and came back is used again', async () => {
    const redis = new GuardedRedis(client, { deadline: 500, retryAfter: 20 });
    await server.kill();
    for (let count = 0; count < 4; count++) {
      assert.ok((await rejection(redis.command(get, 'key'))) instanceof RedisUnavailableError);
    }
    await server.restart();
    while ((await redis.command(['PING']).catch(() => undefined)) !== 'PONG') await sleep(10);
  });

  test('three shards', async () => {
    const cluster = await RedisCluster.start();
    const clusterClient = await cluster.connect();
    try {
      const redis = new GuardedRedis(clusterClient, { deadline: 8_000 });
      assert.equal(redis.cluster, true);
      const script = new RedisScript("redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])");
      for (let index = 0; index < 30; index++) {
        assert.equal(await redis.run(script, [`key${index}`], [`${index}`]), `${index}`);
        assert.equal(await redis.command(['GET', `key${index}`], `key${index}`), `${index}`);
      }
    } finally {
      clusterClient.destroy();
      await cluster.stop();
    }
  });
});
