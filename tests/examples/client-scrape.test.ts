import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../src/asyncio/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Pages with delays, a redirect, two kinds of failure, and one that is cut off. */
function pages(): web.Application {
  const app = new web.Application();
  const page = (number: string): string => `<h1>PEP ${number}</h1>\n`.repeat(10_000);
  app.addRoutes([
    web.get('/peps/pep-1/', () => new web.Response({ text: page('1') })),
    web.get('/peps/pep-2/', async () => {
      await sleep(50);
      return new web.Response({ text: page('2') });
    }),
    web.get('/peps/pep-3/', () => new web.HTTPFound('/moved')),
    web.get('/moved', () => new web.Response({ text: page('3') })),
    web.get('/peps/pep-4/', () => new web.HTTPNotFound()),
    web.get('/peps/pep-5/', async () => {
      await sleep(60_000);
      return new web.Response();
    }),
    web.get('/peps/pep-6/', async (request) => {
      const response = new web.StreamResponse({ headers: { 'Content-Length': '1000000' } });
      await response.prepare(request);
      await response.write(Buffer.from('half'));
      await sleep(20);
      throw new Error('cut off');
    }),
  ]);
  return app;
}

let directory: string;
before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'client-scrape-'));
});
after(() => rm(directory, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = ['--import', 'tsx', 'examples/seed/client-scrape.ts', ...args];
  const child = spawn(process.execPath, program, { cwd: root, timeout: 180_000 });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

test('seed/client-scrape writes the pages that it gets and says which failed and why', async () => {
  await using server = await new TestServer(pages(), { shutdownTimeout: 100 }).start();
  const numbers = ['1', '2', '3', '4', '5', '6'];
  const { code, stdout, stderr } = await run(
    server.makeUrl('/peps/'),
    ...numbers,
    '--out',
    directory,
    '--timeout',
    '10000',
  );
  assert.equal(code, 1, stderr);
  assert.deepEqual((await readdir(directory)).sort(), ['async_1.html', 'async_2.html', 'async_3.html']);
  for (const number of ['1', '2', '3']) {
    const text = await readFile(path.join(directory, `async_${number}.html`), 'utf8');
    assert.equal(text, `<h1>PEP ${number}</h1>\n`.repeat(10_000));
    assert.ok(stdout.includes(`Begin downloading pep-${number}`));
    assert.ok(stdout.includes(`Finished writing async_${number}.html`));
  }
  assert.match(stderr, /pep-4 failed: ClientResponseError: 404, message='Not Found'/);
  assert.match(stderr, /pep-5 failed: TotalTimeoutError: .*10000 ms/);
  assert.match(stderr, /pep-6 failed: ClientPayloadError: .*received 4 of 1000000 bytes/);
  assert.match(stdout, /Execution time: \d+\.\d\d seconds/);
});

test('seed/client-scrape exits with 0 when all pages came', async () => {
  await using server = await new TestServer(pages()).start();
  const { code, stderr } = await run(server.makeUrl('/peps/'), '1', '--out', directory);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
});
