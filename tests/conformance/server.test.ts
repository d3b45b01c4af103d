// conformance/server.ts is what outside test-suites see of the project, so what it promises them is kept here.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RunningExample } from '../examples/running-example.ts';

const program = 'conformance/server.ts';

/** Sends bytes and returns everything that comes back until the server closes. */
async function exchange(server: RunningExample, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.setTimeout(20_000, () => socket.destroy(new Error('no end of the answer within 20 s')));
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return received;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('conformance:server', () => {
  let server: RunningExample;
  before(async () => {
    server = await RunningExample.start(program);
  });
  after(async () => {
    assert.equal(await server.stop(), 0, server.stderr);
  });

  test('/ sends the body back, and OK for none', async () => {
    assert.equal(await (await server.fetch('/')).text(), 'OK');
    const bytes = randomBytes(3_000_000);
    const response = await server.fetch('/', { method: 'PUT', body: bytes });
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    assert.ok(bytes.equals(Buffer.from(await response.arrayBuffer())));
  });

  test('/echo lists the header fields as received', async () => {
    const answer = await exchange(
      server,
      'GET /echo HTTP/1.1\r\nHost: x\r\nX-One: a\r\nx-one:  b \r\nX-Latin: \xe9\r\nConnection: close\r\n\r\n',
    );
    assert.ok(
      answer.endsWith('\r\n\r\nHost: x\nX-One: a\nx-one: b\nX-Latin: \xe9\nConnection: close\n'),
      answer,
    );
  });

  test('/cookie lists the cookies', async () => {
    const response = await server.fetch('/cookie', { headers: { Cookie: 'a=1; b="two"; a=3' } });
    assert.equal(await response.text(), 'a=1\nb=two\na=3\n');
  });

  test('/upload takes any size, /limited one mebibyte', async () => {
    const bytes = randomBytes(1_048_577);
    for (const [path, body, status] of [
      ['/upload', bytes, 200],
      ['/upload', new Uint8Array(0), 200],
      ['/limited', bytes.subarray(1), 200],
      ['/limited', bytes, 413],
    ] as const) {
      const response = await server.fetch(path, { method: 'POST', body });
      assert.equal(response.status, status, path);
      if (status === 200)
        assert.deepEqual(await response.json(), { length: body.length, sha256: sha256(body) });
      else await response.arrayBuffer();
    }
  });

  test('/stream is chunked, /large has a length, /slow waits', async () => {
    const stream = await server.fetch('/stream?chunks=5&size=1000');
    assert.equal(stream.headers.get('content-length'), null);
    assert.equal(await stream.text(), 'x'.repeat(5_000));
    const large = await server.fetch('/large?size=300000');
    assert.equal(large.headers.get('content-length'), '300000');
    assert.equal((await large.text()).length, 300_000);
    const huge = await server.fetch('/large?size=9999999999', { method: 'HEAD' }); // is not made in memory
    assert.equal(huge.headers.get('content-length'), '9999999999');
    assert.equal(await (await server.fetch('/slow?ms=10')).text(), 'slow');
    assert.equal((await server.fetch('/slow?ms=soon')).status, 400);
  });

  test('/status answers with any status', async () => {
    for (const status of [200, 201, 204, 299, 304, 404, 418, 500, 599]) {
      const response = await server.fetch(`/status/${status}`);
      assert.equal(response.status, status);
      assert.equal(await response.text(), status === 204 || status === 304 ? '' : `status ${status}`);
    }
  });

  test('/error keeps the secret to itself', async () => {
    const response = await server.fetch('/error');
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /boom|4711/);
  });

  test('/redirect redirects', async () => {
    for (const code of [301, 302, 303, 307, 308]) {
      const response = await server.fetch(`/redirect?to=/status/200&code=${code}`, { redirect: 'manual' });
      assert.equal(response.status, code);
      assert.equal(response.headers.get('location'), '/status/200');
      await response.arrayBuffer();
    }
    assert.equal((await server.fetch('/redirect?code=302')).status, 400);
  });

  test('/form gives the fields of an urlencoded form', async () => {
    const answer = await server.fetch('/form', {
      method: 'POST',
      body: 'a=1&b=%C3%A9+x&a=&c',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    assert.deepEqual(await answer.json(), {
      fields: [
        ['a', '1'],
        ['b', 'é x'],
        ['a', ''],
        ['c', ''],
      ],
    });
  });

  test('/multipart gives the parts of a form in order', async () => {
    const form = new FormData();
    form.append('a', 'é');
    form.append('f', new File([Uint8Array.of(0, 255)], 'x "y".bin', { type: 'image/png' }));
    form.append('a', '');
    const answer = await server.fetch('/multipart', { method: 'POST', body: form });
    assert.deepEqual(await answer.json(), {
      parts: [
        { name: 'a', content_type: null, value: 'é' },
        { name: 'f', content_type: 'image/png', filename: 'x "y".bin', data: 'AP8=' },
        { name: 'a', content_type: null, value: '' },
      ],
    });
  });

  test('/multipart refuses what is malformed or nested', async () => {
    const part = (head: string): string => `--b\r\n${head}\r\n\r\nx\r\n--b--\r\n`;
    const named = 'Content-Disposition: form-data; name="a"';
    for (const [body, type] of [
      [part(named), 'multipart/form-data'],
      [part(named), 'multipart/mixed; boundary=b'],
      [part(named), 'text/plain'],
      [part(named), 'multipart/form-data; boundary=c'],
      [part(named).slice(0, -6), 'multipart/form-data; boundary=b'],
      [part('Content-Type: text/plain'), 'multipart/form-data; boundary=b'],
      [part('Content-Disposition: attachment; name="a"'), 'multipart/form-data; boundary=b'],
      [part(`${named}\r\nContent-Type: multipart/mixed; boundary=c`), 'multipart/form-data; boundary=b'],
      [part(`${named}\r\nnonsense`), 'multipart/form-data; boundary=b'],
      ['', 'multipart/form-data; boundary=b'],
    ] as const) {
      const answer = await server.fetch('/multipart', {
        method: 'POST',
        body,
        headers: { 'Content-Type': type },
      });
      assert.equal(answer.status, 400, `${type} ${body}`);
      await answer.arrayBuffer();
    }
  });

  test('/trailers gives the trailers', async () => {
    const answer = await exchange(
      server,
      'POST /trailers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n' +
        '3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-End: yes\r\n\r\n',
    );
    assert.ok(answer.endsWith('{"trailers":[["X-Sum","1"],["X-End","yes"]]}'), answer);
  });

  test('everything else is described', async () => {
    for (const [line, target] of [
      ['GET /any/thing%20here?a=1&b HTTP/1.1', '/any/thing%20here?a=1&b'],
      ['POST /stream HTTP/1.1', '/stream'],
      ['GET /w HTTP/1.1', '/w'],
      ['OPTIONS * HTTP/1.1', '*'],
      ['GET http://other.example/x?y HTTP/1.1', 'http://other.example/x?y'],
    ] as const) {
      const answer = await exchange(
        server,
        `${line}\r\nHost: other.example\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\x00\xff!`,
      );
      assert.deepEqual(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)), {
        method: line.split(' ')[0],
        target,
        version: '1.1',
        headers: [
          ['Host', 'other.example'],
          ['Content-Length', '3'],
          ['Connection', 'close'],
        ],
        length: 3,
        body: 'AP8h',
      });
    }
  });

  test('a malformed request is refused, not described', async () => {
    assert.match(
      await exchange(server, 'GET / HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n'),
      /^HTTP\/1\.1 400 /,
    );
  });
});

test('conformance:server --static serves the files of a directory, and nothing else', async () => {
  const base = mkdtempSync(path.join(tmpdir(), 'aio-conformance-'));
  mkdirSync(path.join(base, 'files/sub'), { recursive: true });
  writeFileSync(path.join(base, 'secret.txt'), 'secret');
  writeFileSync(path.join(base, 'files/sub/a.txt'), 'abcdef');
  const server = await RunningExample.start(program, '--static', path.join(base, 'files'));
  try {
    const response = await server.fetch('/static/sub/a.txt');
    assert.equal(await response.text(), 'abcdef');
    const tag = response.headers.get('etag') ?? '';
    for (const [headers, status, body] of [
      [{ Range: 'bytes=1-2' }, 206, 'bc'],
      [{ 'If-None-Match': tag }, 304, ''],
      [{ 'If-Match': '"other"' }, 412, ''],
    ] as const) {
      const answer = await server.fetch('/static/sub/a.txt', { headers });
      assert.equal(answer.status, status);
      assert.equal(await answer.text(), body);
    }
    const head = await server.fetch('/static/sub/a.txt', { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), '6');
    for (const target of ['/static/none', '/static/../secret.txt', '/static/%2e%2e/secret.txt']) {
      const answer = await exchange(server, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 /, target);
    }
  } finally {
    assert.equal(await server.stop(), 0, server.stderr);
    rmSync(base, { recursive: true });
  }
});

test('conformance:server --normalize redirects to the path that exists', async () => {
  const server = await RunningExample.start(program, '--normalize');
  try {
    assert.equal(await (await server.fetch('/')).text(), 'ok');
    assert.equal(await (await server.fetch('/a/b/')).text(), 'ok');
    for (const [path, location] of [
      ['/a', '/a/'],
      ['/a/b?x=1', '/a/b/?x=1'],
      ['/a//b/', '/a/b/'],
      ['//a//b', '/a/b/'],
    ] as const) {
      const answer = await exchange(server, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 308 /, path);
      assert.equal(/^location: (.*)\r$/im.exec(answer)?.[1], location);
    }
    assert.equal((await server.fetch('/a/b/c/')).status, 404);
  } finally {
    assert.equal(await server.stop(), 0, server.stderr);
  }
});

test('conformance:server takes its time limits from the command line', async () => {
  const server = await RunningExample.start(
    program,
    '--headers-timeout',
    '200',
    '--keepalive-timeout',
    '200',
  );
  try {
    assert.match(await exchange(server, 'GET / HTTP/1.1\r\nHost'), /^HTTP\/1\.1 408 /);
    assert.match(await exchange(server, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 200 .*OK$/s);
  } finally {
    assert.equal(await server.stop(), 0, server.stderr);
  }
});
