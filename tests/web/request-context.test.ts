import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContextVar } from '../../src/asyncio/index.ts';
import { testRequest } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';

test('a context variable set in one request is not seen by another', async () => {
  const user = new ContextVar<string>('user', { default: 'nobody' });
  const app = new web.Application();
  app.addRoutes([
    web.get('/login/{name}', async (request) => {
      user.set(request.matchInfo.name);
      await Promise.resolve();
      return new web.Response({ text: user.get() });
    }),
    web.get('/whoami', () => new web.Response({ text: user.get() })),
  ]);
  const [ann, bob] = await Promise.all([testRequest(app, '/login/ann'), testRequest(app, '/login/bob')]);
  assert.deepEqual([await ann.text(), await bob.text()], ['ann', 'bob']);
  assert.equal(await (await testRequest(app, '/whoami')).text(), 'nobody');
  assert.equal(user.get(), 'nobody');
});
