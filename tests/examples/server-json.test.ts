import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningExample } from './running-example.ts';

const values: readonly unknown[] = [
  'text',
  '',
  'Grüße, 世界 🌰',
  0,
  -1.5,
  true,
  false,
  null,
  [1, [2]],
  { a: { b: [] } },
];

const refused: readonly (readonly [body: string, status: number])[] = [
  ['{"other":1}', 400],
  ['{}', 400],
  ['[]', 400],
  ['null', 400],
  ['"key"', 400],
  ['{"key":', 400],
  ['{key: 1}', 400],
  ['', 400],
  [`{"key":"${'x'.repeat(1_048_576)}"}`, 413],
];

test('seed/server-json answers with the value it was sent, and says what is wrong with the rest', async () => {
  const example = await RunningExample.start('examples/seed/server-json.ts');
  const post = (body: string | Uint8Array): Promise<Response> =>
    example.fetch('/json', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
  try {
    assert.equal(await (await example.fetch('/')).text(), 'Hello world');
    for (const value of values) {
      const response = await post(JSON.stringify({ key: value, more: 'ignored' }));
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
      assert.deepEqual(await response.json(), { value });
    }
    for (const [body, status] of refused) {
      const response = await post(body);
      assert.equal(response.status, status, body.slice(0, 40));
      await response.arrayBuffer();
    }
    const notUtf8 = await post(
      Uint8Array.of(0x7b, 0x22, 0x6b, 0x65, 0x79, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d),
    );
    assert.equal(notUtf8.status, 400);

    const wrongMethod = await example.fetch('/json');
    assert.equal(wrongMethod.status, 405);
    assert.equal(wrongMethod.headers.get('allow'), 'POST');

    const repeated = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => (await post(`{"key":${i}}`)).json()),
    );
    assert.deepEqual(
      repeated,
      Array.from({ length: 100 }, (_, i) => ({ value: i })),
    );
  } finally {
    assert.equal(await example.stop(), 0, example.stderr);
  }
});
