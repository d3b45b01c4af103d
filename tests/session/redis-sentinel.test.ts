import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as session from '../../src/session/index.ts';
import * as web from '../../src/web/index.ts';
import { eventually, RedisSentinel } from '../redis/redis-sentinel.ts';
import { connectClient, redisMissing } from '../redis/redis-server.ts';
import { Visitor } from './visitor.ts';

const quiet: web.Logger = { info() {}, warn() {}, error() {} };

function site(storage: session.ServerStorage): web.Application {
  const app = new web.Application({ logger: quiet });
  session.setup(app, storage);
  app.router.addGet('/count', async (request) => {
    const data = await session.getSession<{ count?: number }>(request);
    return new web.Response({ text: String(data.update('count', (count = 0) => count + 1)) });
  });
  app.router.addGet('/login', async (request) => {
    const data = await session.getSession(request);
    data.renew();
    data.setUser('ann');
    return new web.Response({ text: 'ok' });
  });
  return app;
}

test('sessions outlive a failover that a sentinel makes', { skip: redisMissing }, async () => {
  const sentinel = await RedisSentinel.start();
  const client = await sentinel.connect();
  try {
    // Only who asks while there is no master should lose patience.
    const storage = new session.RedisStorage(client, { deadline: 8_000, retryAfter: 100 });
    const patient = site(storage);
    const impatient = site(new session.RedisStorage(client, { deadline: 300, retryAfter: 100 }));
    for (const check of session.storageContract) await check.run(storage);

    let visitor = new Visitor(patient);
    assert.equal((await visitor.get('/count')).text, '1');
    assert.equal((await visitor.get('/login')).text, 'ok');
    // Replication is not waited for by anybody else: what the master answers is lost with it until the replica has it.
    const master = await connectClient(sentinel.master.url);
    assert.equal(await master.sendCommand<number>(['WAIT', '1', '5000']), 1);
    master.destroy();

    await sentinel.master.kill();
    visitor = visitor.copy(impatient);
    const { status } = await visitor.get('/count');
    assert.equal(status, 503);
    const after = await eventually(async () => {
      const answer = await visitor.get('/count');
      assert.equal(answer.status, 200);
      return answer;
    });
    visitor = visitor.copy(patient);
    assert.equal(await sentinel.masterPort(), sentinel.replica.port);
    assert.equal(after.text, '2');
    assert.equal((await storage.sessionsOf('ann')).length, 1);
    // The replica has never seen the scripts: they were sent to it.
    assert.equal((await visitor.get('/login')).text, 'ok');
    assert.equal((await visitor.get('/count')).text, '3');
  } finally {
    client.destroy();
    await sentinel.stop();
  }
});
