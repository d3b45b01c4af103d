import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectClient, RedisServer, redisMissing } from '../redis/redis-server.ts';
import { RunningExample } from './running-example.ts';

test('seed/session-redis remembers the last visit', { skip: redisMissing }, async () => {
  await using redis = await RedisServer.start();
  process.env['REDIS_URL'] = redis.url;
  const example = await RunningExample.start('examples/seed/session-redis.ts');
  try {
    const first = await example.fetch('/');
    assert.equal(await first.text(), 'Last visited: None');
    const [cookie] = first.headers.getSetCookie();
    assert.match(cookie!, /^AIOHTTP_SESSION=[\w-]{43}; /);
    const headers = { cookie: cookie!.split(';')[0]! };
    const second = await (await example.fetch('/', { headers })).text();
    const time = Number(/^Last visited: (\d+(?:\.\d+)?)$/.exec(second)?.[1]);
    assert.ok(Math.abs(time - Date.now() / 1000) < 60, second);
    const third = await (await example.fetch('/', { headers })).text();
    assert.notEqual(third, second);

    const client = await connectClient(redis.url);
    const keys = await client.sendCommand<string[]>(['KEYS', '*']);
    assert.deepEqual(keys, [headers.cookie.replace('AIOHTTP_SESSION=', 'AIOHTTP_SESSION_')]);
    client.destroy();

    await redis.kill();
    assert.equal((await example.fetch('/', { headers })).status, 503);
  } finally {
    assert.equal(await example.stop(), 0, example.stderr);
    delete process.env['REDIS_URL'];
  }
});
