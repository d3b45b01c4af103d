// conformance/client.ts is what outside test-suites see of the client, so what it promises them is kept here.

import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ok, RawServer, redirect } from '../client/raw-server.ts';
import { Oracle } from '../client/websocket-servers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Reply {
  readonly id: number;
  readonly ok: boolean;
  readonly error?: string;
  readonly status?: number;
  readonly body_b64?: string;
  readonly [name: string]: unknown;
}

describe('conformance:client', () => {
  let child: ChildProcessWithoutNullStreams;
  const waiting = new Map<number, (reply: Reply) => void>();
  let lastId = 0;

  before(() => {
    child = spawn(process.execPath, ['--import', 'tsx', 'conformance/client.ts'], { cwd: root });
    child.stderr.pipe(process.stderr);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const reply: Reply = JSON.parse(line);
      waiting.get(reply.id)?.(reply);
    });
  });
  after(async () => {
    child.stdin.end();
    const [code] = await once(child, 'close');
    assert.equal(code, 0);
  });

  function ask(op: string, options: object = {}): Promise<Reply> {
    const id = ++lastId;
    child.stdin.write(`${JSON.stringify({ id, op, ...options })}\n`);
    return new Promise((resolve) => waiting.set(id, resolve));
  }

  test('caps and unknown operations', async () => {
    const caps = await ask('caps');
    assert.deepEqual([caps.ok, caps['name'], caps['jar']], [true, 'aiohttp-ts', true]);
    assert.deepEqual(await ask('nonsense'), { id: 2, ok: false, unsupported: true });
    child.stdin.write('no JSON\n'); // is answered, and does not end the program
    assert.equal((await ask('caps')).ok, true);
  });

  test('request: redirects, resolve, body, history', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? redirect('/b') : ok('done', 'X-A: 1\r\n'),
    );
    const reply = await ask('request', {
      method: 'PUT',
      url: `http://home.example.org:${server.port}/a`,
      headers: [['X-B', '2']],
      body_b64: Buffer.from('body').toString('base64'),
      resolve: { 'home.example.org': '127.0.0.1' },
      jar: null,
      form: null,
    });
    assert.ok(reply.ok, String(reply.error));
    assert.deepEqual(
      [reply.status, reply['reason'], reply['version'], Buffer.from(reply.body_b64!, 'base64').toString()],
      [200, 'OK', '1.1', 'done'],
    );
    assert.deepEqual(reply['headers'], [
      ['X-A', '1'],
      ['Content-Length', '4'],
    ]);
    assert.deepEqual(reply['history'], [{ status: 302, url: `http://home.example.org:${server.port}/a` }]);
    assert.equal(reply['url'], `http://home.example.org:${server.port}/b`);
    assert.equal(server.requests[1]!.body, 'body');
  });

  test('manual redirects, forms, errors, timeouts', async () => {
    await using server = await RawServer.start(({ number }) => (number <= 2 ? redirect('/b') : undefined));
    const { url } = server;
    assert.equal((await ask('request', { url, redirect: 'manual' })).status, 302);
    await ask('request', { url, method: 'POST', redirect: 'manual', form: [['a', '1 2']] });
    assert.equal(server.requests[1]!.body, 'a=1+2');
    assert.match((await ask('request', { url, timeout_ms: 50 })).error!, /^TotalTimeoutError: /);
    assert.match((await ask('request', { url: 'ftp://h/' })).error!, /^NonHttpUrlClientError: /);
  });

  test('multipart: a form of fields and files', async () => {
    await using server = await RawServer.start(() => ok('done'));
    const reply = await ask('multipart', {
      url: server.url,
      parts: [
        { name: 'a', value: 'é' },
        { name: 'f', filename: 'x"y.txt', content_type: 'text/plain', data_b64: 'aGVsbG8=' },
      ],
    });
    assert.ok(reply.ok, String(reply.error));
    assert.equal(reply.status, 200);
    const { head, body } = server.requests[0]!;
    assert.match(head, /^POST /);
    const boundary = /multipart\/form-data; boundary=(.*)\r\n/.exec(head)![1]!;
    assert.equal(
      Buffer.from(body, 'latin1').toString().replaceAll(boundary, 'b'),
      '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\né\r\n' +
        '--b\r\nContent-Disposition: form-data; name="f"; filename="x%22y.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n',
    );
  });

  test('ws-echo: every message comes back, compressed or not, until the server closes', async () => {
    for (const compress of [false, true]) {
      const heard: unknown[] = [];
      await using oracle = await Oracle.start({
        perMessageDeflate: { threshold: 0 },
        onConnection: (peer) => {
          peer.send('a text');
          peer.send(Buffer.alloc(100_000, 1));
          peer.on('message', (data: Buffer, isBinary) => {
            heard.push(isBinary ? data.length : data.toString());
            if (heard.length === 2) peer.close(1000);
          });
        },
      });
      const options = { url: oracle.url, compress, max_size: 16_777_216, timeout_ms: 10_000 };
      const reply = await ask('ws-echo', options);
      assert.deepEqual([reply.ok, reply['code'], heard], [true, 1000, ['a text', 100_000]]);
      assert.equal(oracle.requests[0]!.headers['sec-websocket-extensions'] !== undefined, compress);
      const small = await ask('ws-echo', { ...options, max_size: 1000 });
      assert.deepEqual([small.ok, small['code']], [true, 1009]);
    }
    assert.match((await ask('ws-echo', { url: 'ftp://h/' })).error!, /^NonHttpUrlClientError: /);
  });

  test('jars are shared by name and can be cleared', async () => {
    await using server = await RawServer.start(() => ok('', 'Set-Cookie: a=1\r\n'));
    const options = {
      url: `http://home.example.org:${server.port}/`,
      resolve: { 'home.example.org': '127.0.0.1' },
    };
    for (const jar of ['one', 'one', 'two', null]) await ask('request', { ...options, jar });
    await ask('jar-clear', { jar: 'one' });
    await ask('request', { ...options, jar: 'one' });
    assert.deepEqual(
      server.requests.map(({ head }) => head.includes('Cookie: a=1')),
      [false, true, false, false, false],
    );
  });
});
