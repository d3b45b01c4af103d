import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningExample } from './running-example.ts';

test('seed/server-minimal greets, refuses the rest, and ends well on ctrl-C', async () => {
  const example = await RunningExample.start('examples/seed/server-minimal.ts');
  try {
    for (let repeat = 0; repeat < 3; repeat++) {
      const response = await example.fetch('/');
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.equal(await response.text(), 'Hello world');
    }

    const head = await example.fetch('/', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-length'), '11');
    assert.equal(await head.text(), '');

    const unknown = await example.fetch('/nowhere');
    assert.equal(unknown.status, 404);
    assert.equal(await unknown.text(), '404: Not Found');

    const wrongMethod = await example.fetch('/', { method: 'POST', body: 'x' });
    assert.equal(wrongMethod.status, 405);
    assert.equal(wrongMethod.headers.get('allow'), 'GET,HEAD');
  } finally {
    assert.equal(await example.stop(), 0, example.stderr);
  }
});

test('npm run --silent example prints nothing but what the program prints', async () => {
  const example = await RunningExample.startByScript('seed/server-minimal');
  try {
    assert.equal(await (await example.fetch('/')).text(), 'Hello world');
    assert.match(example.stdout, /^.*listening.*\n/);
    assert.equal(example.stderr, '');
  } finally {
    assert.equal(await example.stop(), 0, example.stderr);
  }
});
