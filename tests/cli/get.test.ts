import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../src/asyncio/index.ts';
import { inUnits, progressText } from '../../src/cli/download-progress.ts';
import { ok, RawServer, redirect } from '../client/raw-server.ts';

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], { timeout: 180_000 });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

describe('aiohttp-ts get', () => {
  test('prints the body, sends headers and data, shows head and timings', async () => {
    await using server = await RawServer.start(() => ok('hello'));
    assert.deepEqual(await run('get', server.url), { code: 0, stdout: 'hello', stderr: '' });
    const { stdout, stderr } = await run(
      'get',
      `127.0.0.1:${server.port}/x`,
      '-H',
      'X-A: 1',
      '-d',
      'data',
      '-i',
      '--timing',
    );
    assert.equal(stdout, 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello');
    assert.match(stderr, /^connect +\d+\.\d ms\nfirst byte +\d+\.\d ms\ntotal +\d+\.\d ms\n$/m);
    const { head, body } = server.requests[1]!;
    assert.match(head, /^POST \/x HTTP[\s\S]*\r\nX-A: 1\r\n/);
    assert.equal(body, 'data');
  });

  test('formats JSON', async () => {
    await using server = await RawServer.start(() => ok('{"a":1}'));
    assert.equal((await run('get', '--json', server.url)).stdout, '{\n  "a": 1\n}\n');
  });

  test('a file is there whole or not at all', async () => {
    await using server = await RawServer.start(({ number, socket }) => {
      if (number === 1) return ok('content');
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      return undefined;
    });
    const folder = await mkdtemp(path.join(tmpdir(), 'cli-get-'));
    try {
      assert.equal((await run('get', server.url, '-o', path.join(folder, 'a'))).code, 0);
      assert.equal(await readFile(path.join(folder, 'a'), 'utf8'), 'content');
      const { code, stderr } = await run('get', server.url, '-o', path.join(folder, 'b'));
      assert.equal(code, 1);
      assert.match(stderr, /^ClientPayloadError: /);
      assert.deepEqual(await readdir(folder), ['a']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a device was replaced by a file, and a link lost', async () => {
    await using server = await RawServer.start(() => ok('content'));
    const folder = await mkdtemp(path.join(tmpdir(), 'cli-get-'));
    try {
      const [real, link, pipe] = ['real', 'link', 'pipe'].map((name) => path.join(folder, name));
      await writeFile(real!, 'old');
      await symlink('real', link!);
      assert.equal((await run('get', server.url, '-o', link!)).code, 0);
      assert.ok((await lstat(link!)).isSymbolicLink());
      assert.equal(await readFile(real!, 'utf8'), 'content');
      if (process.platform !== 'win32') {
        execFileSync('mkfifo', [pipe!]);
        const [text] = await Promise.all([readFile(pipe!, 'utf8'), run('get', server.url, '-o', pipe!)]);
        assert.equal(text, 'content');
        assert.ok((await lstat(pipe!)).isFIFO());
      }
      assert.equal((await run('get', server.url, '-o', '-')).stdout, 'content');
      assert.equal((await readdir(folder)).filter((name) => name.endsWith('.part')).length, 0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('ctrl-C left half a file behind', { skip: process.platform === 'win32' }, async () => {
    await using server = await RawServer.start(() => 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    const folder = await mkdtemp(path.join(tmpdir(), 'cli-get-'));
    try {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', program, 'get', server.url, '-o', path.join(folder, 'a')],
        { timeout: 180_000 },
      );
      const closed = once(child, 'close');
      while ((await readdir(folder)).length === 0) await sleep(5);
      child.kill('SIGINT');
      assert.deepEqual(await closed, [130, null]);
      assert.deepEqual(await readdir(folder), []);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a reader that had enough ended the program with a stack', async () => {
    await using server = await RawServer.start(() => ok('x'.repeat(5_000_000)));
    const child = spawn(process.execPath, ['--import', 'tsx', program, 'get', server.url], {
      timeout: 180_000,
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdout.once('data', () => child.stdout.destroy());
    assert.deepEqual([await once(child, 'close'), stderr], [[141, null], '']);
  });

  test('timings of connections that a redirect used again were missing', async () => {
    await using server = await RawServer.start(({ number }) => (number === 1 ? redirect('/b') : ok()));
    assert.match((await run('get', server.url, '--timing')).stderr, /^connect +\d/m);
  });

  test('exit codes: 1 for what went wrong there, 2 for a wrong command line', async () => {
    await using server = await RawServer.start(() => ok('no', '', '404 Not Found'));
    assert.deepEqual(await run('get', server.url), { code: 1, stdout: 'no', stderr: '404 Not Found\n' });
    assert.equal((await run('get', 'http://127.0.0.1:1/')).code, 1);
    assert.equal((await run('get')).code, 2);
    assert.equal((await run('get', server.url, '--nonsense')).code, 2);
    assert.equal((await run('put', server.url)).code, 2);
    assert.equal((await run('--help')).code, 0);
  });

  test('progress as people read it', () => {
    assert.equal(
      progressText(600_000, 1_000_000),
      `[${'#'.repeat(18)}${' '.repeat(12)}]  60%  600.0 kB of 1.0 MB`,
    );
    assert.equal(progressText(999, undefined), '999 B');
    assert.equal(inUnits(1_500_000_000), '1.5 GB');
  });
});
