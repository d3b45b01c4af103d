import assert from 'node:assert/strict';
import { test } from 'node:test';
import { web } from '../../src/index.ts';
import { testRequest } from '../../src/testing/index.ts';

test('makes requests without a socket, and starts the application once', async () => {
  let starts = 0;
  const app = new web.Application();
  app.onStartup.append(() => void starts++);
  app.addRoutes([
    web.post('/items/{id}', async (request) =>
      web.jsonResponse(
        { id: request.matchInfo.id, body: await request.json(), host: request.host },
        { status: 201 },
      ),
    ),
  ]);
  const response = await testRequest(app, '/items/7', { method: 'POST', body: '{"a":1}' });
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), { id: '7', body: { a: 1 }, host: 'localhost' });
  const other = await testRequest(app, 'https://example.com/items/8', { method: 'POST', body: '{}' });
  assert.equal(((await other.json()) as { host: string }).host, 'example.com');
  assert.equal(starts, 1);
  await app.cleanup();
});

test('shows a redirect instead of following it', async () => {
  const app = new web.Application();
  app.addRoutes([web.get('/', () => new web.HTTPFound('/elsewhere'))]);
  const response = await testRequest(app, '/');
  assert.deepEqual([response.status, response.headers.get('location')], [302, '/elsewhere']);
  await app.cleanup();
});
