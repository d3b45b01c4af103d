import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningExample } from './running-example.ts';

test('seed/server-decorators serves the routes of its class', async () => {
  const example = await RunningExample.start('examples/seed/server-decorators.ts');
  try {
    const response = await example.fetch('/');
    assert.equal(response.status, 200);
    assert.equal(await response.text(), 'Hello world');
    assert.equal((await example.fetch('/nowhere')).status, 404);
    assert.equal((await example.fetch('/', { method: 'DELETE' })).status, 405);
  } finally {
    assert.equal(await example.stop(), 0, example.stderr);
  }
});
