import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as session from '../../src/session/index.ts';
import * as web from '../../src/web/index.ts';
import { Visitor } from './visitor.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('requests leave nothing behind but their sessions', async () => {
  const app = new web.Application();
  const storage = new session.MemoryStorage({ maxSessions: 50 });
  session.setup(app, storage);
  const alive: WeakRef<object>[] = [];
  app.router.addGet('/', async (request) => {
    const data = await session.getSession<{ count?: number; text: string }>(request);
    alive.push(new WeakRef(data), new WeakRef(request));
    data.update('count', (count = 0) => count + 1);
    data.set('text', 'x'.repeat(1000));
    return new web.Response({ text: 'ok' });
  });
  const visitor = new Visitor(app);
  for (let count = 0; count < 200; count++) await visitor.get('/');
  for (let count = 0; count < 200; count++) await new Visitor(app).get('/');
  assert.equal(storage.size, 50);
  for (let attempt = 0; attempt < 200; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
    if (alive.every((one) => one.deref() === undefined)) return;
  }
  const left = alive.filter((one) => one.deref() !== undefined).length;
  assert.ok(left <= 4, `${left} of ${alive.length} sessions and requests are still there`);
});
