import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../src/asyncio/index.ts';
import * as session from '../../src/session/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { connectClient, RedisServer, redisMissing, type TestRedisClient } from '../redis/redis-server.ts';
import { Visitor } from './visitor.ts';

const quiet: web.Logger = { info() {}, warn() {}, error() {} };

function site(storage: session.Storage, options?: session.SessionOptions): web.Application {
  const app = new web.Application({ logger: quiet });
  session.setup(app, storage, options);
  app.router.addGet('/put', async (request) => {
    const data = await session.getSession(request);
    for (const [key, value] of request.query) data.set(key, value);
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/show', async (request) =>
    web.jsonResponse((await session.getSession(request)).toJSON()),
  );
  app.router.addGet('/login', async (request) => {
    const data = await session.getSession(request);
    data.renew();
    data.setUser('ann');
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/logout', async (request) => {
    (await session.getSession(request)).invalidate();
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/nothing', () => new web.Response({ text: 'ok' }));
  return app;
}

/** Answers that a busy machine brings late are a part of those tests only that say so. */
const patient = { deadline: 8_000 };

describe('RedisStorage', { skip: redisMissing }, () => {
  let server: RedisServer;
  let client: TestRedisClient;
  before(async () => {
    server = await RedisServer.start({ persistent: true });
    client = await connectClient(server.url);
  });
  after(async () => {
    client?.destroy();
    await server?.stop();
  });

  const keys = (): Promise<string[]> => client.sendCommand<string[]>(['KEYS', '*']);

  test('keeps a session under one key with a time to live', async () => {
    await client.sendCommand(['FLUSHALL']);
    const visitor = new Visitor(site(new session.RedisStorage(client, patient), { idle: 60_000 }));
    await visitor.get('/put?a=1');
    const name = `AIOHTTP_SESSION_${session.hashIdentity(visitor.cookie!)}`;
    assert.deepEqual(await keys(), [name]);
    const ttl = await client.sendCommand<number>(['PTTL', name]);
    assert.ok(ttl > 50_000 && ttl <= 60_000, `${ttl}`);
    await visitor.get('/logout');
    assert.deepEqual(await keys(), []);
  });

  test('plain keys: reads what aiohttp-session wrote, writes what it reads', async () => {
    await client.sendCommand(['FLUSHALL']);
    const identity = '0123456789abcdef0123456789abcdef';
    const name = `AIOHTTP_SESSION_${identity}`;
    const created = Math.floor(Date.now() / 1000);
    await client.sendCommand(['SET', name, `{"created": ${created}, "session": {"last_visit": 1.5}}`]);
    const visitor = new Visitor(site(new session.RedisStorage(client, { ...patient, plainKeys: true })));
    visitor.cookies.set('AIOHTTP_SESSION', identity);
    assert.equal((await visitor.get('/show')).text, '{"last_visit":1.5}');
    assert.ok((await client.sendCommand<number>(['PTTL', name])) > 0, 'it gets a time to live');
    await visitor.get('/put?a=1');
    assert.deepEqual(await keys(), [name]);
    const value = JSON.parse(await client.sendCommand<string>(['GET', name]));
    assert.equal(value.created, created);
    assert.deepEqual(value.session, { last_visit: 1.5, a: '1' });
    // And again by the other side, which knows nothing of versions.
    await client.sendCommand(['SET', name, `{"created": ${created}, "session": {"b": 2}}`]);
    await visitor.get('/put?c=3');
    assert.equal((await visitor.get('/show')).text, '{"b":2,"c":"3"}');
  });

  test('the list of a user ends with the sessions in it', async () => {
    await client.sendCommand(['FLUSHALL']);
    const storage = new session.RedisStorage(client, patient);
    const app = site(storage, { absolute: 3_600_000 });
    const visitors = [new Visitor(app), new Visitor(app)];
    for (const visitor of visitors) await visitor.get('/login');
    const list = (await keys()).find((name) => name.includes('OF:'))!;
    assert.equal(list, 'AIOHTTP_SESSION_OF:ann');
    const ttl = await client.sendCommand<number>(['PTTL', list]);
    assert.ok(ttl > 3_500_000 && ttl <= 3_601_000, `${ttl}`);
    await visitors[0]!.get('/logout');
    assert.equal((await storage.sessionsOf('ann')).length, 1);
    assert.equal(await storage.revokeAll('ann'), 1);
    assert.equal((await visitors[1]!.get('/show')).text, '{}');
  });

  test('hostile values under a session’s key open nothing and break nothing', async () => {
    const storage = new session.RedisStorage(client, patient);
    const app = site(storage);
    const values = ['', 'x', '{', '[]', '{"created":1}', '{"moved":"nowhere"}', '{"moved":"../x"}', '\0\xff'];
    for (const value of values) {
      const identity = session.newIdentity();
      await client.sendCommand(['SET', `AIOHTTP_SESSION_${session.hashIdentity(identity)}`, value]);
      const visitor = new Visitor(app);
      visitor.cookies.set('AIOHTTP_SESSION', identity);
      const { status, text } = await visitor.get('/show');
      assert.deepEqual([status, text], [200, '{}'], JSON.stringify(value));
      await visitor.get('/put?a=1');
      assert.notEqual(visitor.cookie, identity);
    }
    const identity = session.newIdentity();
    await client.sendCommand(['LPUSH', `AIOHTTP_SESSION_${session.hashIdentity(identity)}`, 'x']);
    const visitor = new Visitor(app);
    visitor.cookies.set('AIOHTTP_SESSION', identity);
    assert.equal(
      (await visitor.get('/show')).status,
      500,
      'a key of another kind is a mistake of the installation',
    );
  });

  test('refuses what is no client, and no prefix', () => {
    assert.throws(() => new session.RedisStorage({} as never), { code: 'AIO_REDIS_CLIENT' });
    assert.throws(() => new session.RedisStorage(client, { prefix: '' }), { code: 'AIO_SESSION_SETTING' });
    assert.throws(() => new session.RedisStorage(client, { deadline: -1 }), { code: 'AIO_REDIS_OPTION' });
  });

  test('a frozen Redis costs 503 within the deadline, other pages go on, and it recovers by itself', async () => {
    const app = site(new session.RedisStorage(client, { deadline: 300, retryAfter: 50 }));
    await using running = await new TestServer(app).start();
    const visitor = new Visitor(running.makeUrl('').replace(/\/$/, ''));
    await until(async () => (await visitor.get('/put?a=1')).status === 200);
    server.freeze();
    try {
      const answers = await Promise.all(Array.from({ length: 5 }, () => visitor.get('/show')));
      for (const { status, headers } of answers) {
        assert.deepEqual([status, headers.get('retry-after')], [503, '1']);
      }
      assert.equal((await visitor.get('/show')).status, 503);
      assert.equal((await visitor.get('/nothing')).status, 200);
      assert.equal((await new Visitor(app).get('/show')).status, 200, 'who has no cookie needs no Redis');
      const stranger = await new Visitor(app).get('/put?a=1');
      assert.deepEqual([stranger.status, stranger.setCookies], [503, []]);
    } finally {
      server.thaw();
    }
    await until(async () => (await visitor.get('/show')).text === '{"a":"1"}');
  });

  test('a Redis that is killed and comes back in the middle loses no session and no write that was answered', async () => {
    const app = site(new session.RedisStorage(client, { deadline: 500, retryAfter: 20 }));
    const visitor = new Visitor(app);
    // Redis may still be busy with what the test before has left.
    await until(async () => (await visitor.get('/put?begin=1')).status === 200);
    const answered: string[] = [];
    let stop = false;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      const own = visitor.copy(app);
      for (let count = 0; !stop; count++) {
        const key = `w${writer}n${count % 20}`;
        if ((await own.get(`/put?${key}=1`)).status === 200) answered.push(key);
        await sleep(1);
      }
    });
    try {
      await until(async () => answered.length > 50);
      await server.kill();
      await until(async () => (await visitor.get('/show')).status === 503);
      await server.restart();
      await until(async () => (await visitor.get('/show')).status === 200);
      const { length } = answered;
      await until(async () => answered.length > length + 20);
    } finally {
      stop = true;
      await Promise.all(writers);
    }
    // With all the time that it needs: what is asked is whether the data is there.
    const { text } = await visitor.copy(site(new session.RedisStorage(client, patient))).get('/show');
    const data = JSON.parse(text);
    assert.equal(data.begin, '1');
    for (const key of answered) assert.equal(data[key], '1', key);
  });

  test('a Redis that takes no writes (full, a replica) costs 503 for those who change something', async () => {
    const own = await RedisServer.start();
    const ownClient = await connectClient(own.url);
    try {
      const visitor = new Visitor(site(new session.RedisStorage(ownClient, { ...patient, retryAfter: 20 })));
      await visitor.get('/put?a=1');
      const states = [
        [
          ['CONFIG', 'SET', 'maxmemory', '1'],
          ['CONFIG', 'SET', 'maxmemory', '0'],
        ],
        [
          ['REPLICAOF', '127.0.0.1', '1'],
          ['REPLICAOF', 'NO', 'ONE'],
        ],
      ] as const;
      for (const [ill, well] of states) {
        await ownClient.sendCommand([...ill]);
        const { status, setCookies } = await visitor.get('/put?a=2');
        assert.deepEqual([status, setCookies], [503, []], ill.join(' '));
        assert.equal(
          (await new Visitor(site(new session.RedisStorage(ownClient, patient))).get('/put?a=1')).status,
          503,
        );
        assert.equal((await visitor.get('/show')).text, '{"a":"1"}');
        await ownClient.sendCommand([...well]);
        await until(async () => (await visitor.get('/put?a=3')).status === 200);
        await visitor.get('/put?a=1');
      }
    } finally {
      ownClient.destroy();
      await own.stop();
    }
  });

  test('scripts that Redis has forgotten in the middle are sent again', async () => {
    const visitor = new Visitor(site(new session.RedisStorage(client, patient)));
    await visitor.get('/put?a=1');
    for (const path of ['/put?b=2', '/show', '/login', '/put?c=3']) {
      await client.sendCommand(['SCRIPT', 'FLUSH']);
      assert.equal((await visitor.get(path)).status, 200);
    }
    assert.equal((await visitor.get('/show')).text, '{"a":"1","b":"2","c":"3"}');
  });

  test('a session that moves while all of its user are revoked does not escape', async () => {
    const storage = new session.RedisStorage(client, patient);
    const write: session.SessionWrite = {
      value: '{"created":1,"session":{},"user":"moving"}',
      ttl: 60_000,
      user: 'moving',
      end: Number.POSITIVE_INFINITY,
      relist: true,
    };
    const [first, second] = ['1'.repeat(43), '2'.repeat(43)] as const;
    await storage.create(first, write);
    const plainDelete = storage.delete.bind(storage);
    storage.delete = async (key) => {
      if (key === first) {
        const { version } = (await storage.load(first))!;
        await storage.rename(first, second, version, write);
      }
      return plainDelete(key);
    };
    assert.equal(await storage.revokeAll('moving'), 1);
    assert.equal(await storage.load(second), undefined);
  });

  test('failOpen goes on with sessions that are not kept', async () => {
    const app = site(new session.RedisStorage(client, { deadline: 200, retryAfter: 20, failures: 1 }), {
      failOpen: true,
    });
    const visitor = new Visitor(app);
    await until(async () => (await visitor.get('/put?a=1')).setCookies.length === 1);
    server.freeze();
    try {
      const { status, text } = await visitor.get('/show');
      assert.deepEqual([status, text], [200, '{}']);
      const written = await visitor.get('/put?b=2');
      assert.deepEqual([written.status, written.setCookies], [200, []]);
      const stranger = await new Visitor(app).get('/put?b=2');
      assert.deepEqual([stranger.status, stranger.setCookies], [200, []]);
    } finally {
      server.thaw();
    }
    await until(async () => (await visitor.get('/show')).text === '{"a":"1"}');
  });

  test('two processes: 10 writers at once for each of 100 sessions, 1,000 writes, none lost', async () => {
    const program = fileURLToPath(new URL('session-server.ts', import.meta.url));
    const servers = await Promise.all([startProgram(program, server.url), startProgram(program, server.url)]);
    try {
      const visitors = Array.from({ length: 100 }, () => new Visitor(servers[0]!.url));
      await eachOf(visitors, 20, (visitor) => visitor.get('/put/begin'));
      await eachOf(visitors, 10, (visitor) =>
        Promise.all(
          Array.from({ length: 10 }, async (_, n) => {
            const copy = visitor.copy(servers[n % 2]!.url);
            assert.equal((await copy.get(`/put/k${n}`)).status, 200);
          }),
        ),
      );
      await eachOf(visitors, 20, async (visitor) => {
        const data = JSON.parse((await visitor.copy(servers[1]!.url).get('/show')).text);
        assert.deepEqual(Object.keys(data).sort(), [
          'begin',
          'count',
          ...Array.from({ length: 10 }, (_, n) => `k${n}`),
        ]);
        assert.equal(data.count, 11);
      });
    } finally {
      await Promise.all(servers.map((one) => one.stop()));
    }
  });
});

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await what()); attempt++) {
    assert.ok(attempt < 2000, `not in time: ${what}`);
    await sleep(5);
  }
}

async function eachOf<V>(
  values: readonly V[],
  atOnce: number,
  work: (value: V) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < values.length; at += atOnce)
    await Promise.all(values.slice(at, at + atOnce).map(work));
}

async function startProgram(
  program: string,
  redisUrl: string,
): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, redisUrl], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  return {
    url: String(line).trim(),
    async stop() {
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
    },
  };
}
