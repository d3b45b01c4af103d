import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningExample } from './running-example.ts';

const answers: readonly (readonly [path: string, text: string])[] = [
  ['/', 'Hello world'],
  ['/?page=2', 'Hello world'],
  ['/student', 'Hello, student '],
  ['/student?page=2', 'Hello, student 2'],
  ['/student?page=', 'Hello, student '],
  ['/student?page=2&page=3', 'Hello, student 2'],
  ['/student?other=1', 'Hello, student '],
  ['/J%C3%BCrgen?page=%E4%BA%8C', 'Hello, Jürgen 二'],
  ['/%F0%9F%8C%B0', 'Hello, 🌰 '],
  ['/a%20b?page=c+d', 'Hello, a b c d'],
  ['/a%2Fb', 'Hello, a/b '],
];

test('seed/server-params reads the path and the query', async () => {
  const example = await RunningExample.start('examples/seed/server-params.ts');
  try {
    for (const [path, text] of answers) {
      const response = await example.fetch(path);
      assert.equal(response.status, 200, path);
      assert.equal(await response.text(), text, path);
    }
    assert.equal((await example.fetch('/student/marks')).status, 404);
    assert.equal((await example.fetch('/student', { method: 'PUT' })).status, 405);

    const many = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => (await example.fetch(`/user${i}?page=${i}`)).text()),
    );
    assert.deepEqual(
      many,
      Array.from({ length: 100 }, (_, i) => `Hello, user${i} ${i}`),
    );
  } finally {
    assert.equal(await example.stop(), 0, example.stderr);
  }
});
