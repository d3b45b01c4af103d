// Files of forms: where they are, and that nothing of them is left in whatever way a request ends.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { web } from '../../src/index.ts';
import { FormServer, form, formPart } from './form-server.ts';

const MIB = 1_048_576;
const options = { clientMaxSize: 0 };
/** Generous: only what never ends fails. */
const timeout = 300_000;
const onLinux = process.platform === 'linux';

function fileOf(form: Awaited<ReturnType<web.Request['post']>>, name = 'f'): web.FileField {
  const file = form.get(name);
  assert.ok(file instanceof web.FileField);
  return file;
}

/** Sends the head of an upload and some of its body. */
async function upload(port: number, ...pieces: (string | Uint8Array)[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${100 * MIB}\r\n\r\n`,
  );
  for (const piece of pieces) {
    if (!socket.write(piece)) await once(socket, 'drain');
  }
  return socket;
}

const BEGIN_FILE = '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n';

describe('files of a form', { timeout }, () => {
  test('stay in memory up to 1 MiB together, then go to a file that nobody else can open', async () => {
    await using server = await FormServer.start(async (request, tempDir) => {
      const taken = await request.post({ tempDir });
      const sizes = [...taken.values()].map((file) => (file as web.FileField).size);
      const open = onLinux ? server.open() : [];
      const modes = await Promise.all(
        open.map(async (name) => ((await stat(name)).mode & 0o777).toString(8)),
      );
      return web.jsonResponse({ sizes, left: await readdir(tempDir), modes });
    }, options);
    const expected: readonly [sizes: number[], onDisk: number][] = [
      [[MIB], 0],
      [[MIB + 1], 1],
      [[MIB / 2, MIB / 2], 0],
      [[MIB / 2, MIB / 2, 1], 1],
      [[MIB + 1, MIB], 1],
      [[MIB + 1, MIB + 1, 0], 1],
      [[MIB, ...Array.from({ length: 300 }, () => 3)], 1],
    ];
    for (const [sizes, onDisk] of expected) {
      const answer = await server.post(form(...sizes.map((size) => formPart('f', 'x'.repeat(size), 'x'))));
      const seen = (await answer.json()) as { sizes: number[]; left: string[]; modes: string[] };
      assert.deepEqual(seen.sizes, sizes);
      assert.deepEqual(seen.left, []);
      if (onLinux)
        assert.deepEqual(
          seen.modes,
          Array.from({ length: onDisk }, () => '600'),
        );
      await server.untilClean();
    }
  });

  test('are read as bytes, text, pieces and a stream, as often as wanted', async () => {
    const content = Array.from({ length: 500_000 }, (_, index) =>
      String.fromCharCode(97 + (index % 23)),
    ).join('');
    for (const memoryLimit of [0, 10_000, MIB]) {
      await using server = await FormServer.start(async (request, tempDir) => {
        const file = fileOf(await request.post({ tempDir, memoryLimit }));
        assert.equal(Buffer.from(await file.bytes()).toString(), content);
        assert.equal(await file.text(), content);
        const pieces: Uint8Array[] = [];
        for await (const piece of file) pieces.push(piece);
        assert.equal(Buffer.concat(pieces).toString(), content);
        const [one, two] = await Promise.all([
          new Response(file.stream() as never).text(),
          file.text('latin1'),
        ]);
        assert.equal(one, content);
        assert.equal(two, content);
        return new web.Response({ text: 'same' });
      }, options);
      const answer = await server.post(form(formPart('f', content, 'x', 'text/plain')));
      assert.equal(await answer.text(), 'same', server.logger.errors.join());
      await server.untilClean();
    }
  });

  test('one whose temporary file somebody cuts is an error, not a shorter file or an endless copy', {
    skip: !onLinux,
  }, async () => {
    await using server = await FormServer.start(async (request, tempDir) => {
      const file = fileOf(await request.post({ tempDir, memoryLimit: 0 }));
      await truncate(server.open()[0]!, 10);
      const cut = { name: 'FileChangedError' };
      await assert.rejects(file.bytes(), cut);
      await assert.rejects(file.saveTo(path.join(tempDir, 'copy')), cut);
      await assert.rejects(async () => {
        for await (const _ of file);
      }, cut);
      return web.jsonResponse(await readdir(tempDir));
    }, options);
    const answer = await server.post(form(formPart('f', 'x'.repeat(100_000), 'x')));
    assert.equal(await answer.text(), '[]', server.logger.errors.join());
    await server.untilClean();
  });

  test('lie one behind the other on disk', async () => {
    const contents = Array.from({ length: 40 }, (_, index) =>
      String.fromCharCode(97 + (index % 26)).repeat(index * 20_000),
    );
    await using server = await FormServer.start(async (request, tempDir) => {
      const taken = await request.post({ tempDir, memoryLimit: 1_000_000 });
      const texts = await Promise.all(taken.getAll('f').map((file) => (file as web.FileField).text()));
      return web.jsonResponse(texts.every((text, index) => text === contents[index]));
    }, options);
    const answer = await server.post(form(...contents.map((content) => formPart('f', content, 'x'))));
    assert.equal(await answer.json(), true);
    await server.untilClean();
  });

  test('are saved whole or not at all, and replace nothing unless told', async () => {
    for (const memoryLimit of [0, 10 * MIB]) {
      await using server = await FormServer.start(async (request, tempDir) => {
        const file = fileOf(await request.post({ tempDir, memoryLimit }));
        const folder = path.join(tempDir, 'saved');
        await mkdir(folder);
        const target = path.join(folder, file.filename);
        await file.saveTo(target);
        assert.equal((await readFile(target)).length, 3 * MIB);
        await assert.rejects(file.saveTo(target), { code: 'EEXIST' });
        await writeFile(target, 'other');
        await file.saveTo(target, { overwrite: true });
        assert.equal((await stat(target)).size, 3 * MIB);
        const secret = path.join(folder, 'secret');
        await file.saveTo(secret, { mode: 0o600 });
        if (onLinux) assert.equal((await stat(secret)).mode & 0o777, 0o600);
        await assert.rejects(file.saveTo(path.join(folder, 'no', 'such')), { code: 'ENOENT' });
        await assert.rejects(file.saveTo(folder, { overwrite: true }));
        assert.deepEqual((await readdir(folder)).sort(), ['secret', 'x.bin']);
        await rm(folder, { recursive: true });
        return web.jsonResponse(await readdir(tempDir));
      }, options);
      const answer = await server.post(form(formPart('f', 'x'.repeat(3 * MIB), 'x.bin')));
      assert.equal(answer.status, 200, server.logger.errors.join());
      assert.deepEqual(await answer.json(), []);
      await server.untilClean();
    }
  });

  test('are gone when the answer was sent, those in memory too', async () => {
    const kept: web.FileField[] = [];
    await using server = await FormServer.start(async (request, tempDir) => {
      kept.push(fileOf(await request.post({ tempDir })));
      return new web.Response();
    }, options);
    for (const size of [10, 2 * MIB])
      await (await server.post(form(formPart('f', 'x'.repeat(size), 'x')))).arrayBuffer();
    await server.untilClean();
    for (const file of kept) {
      await assert.rejects(file.bytes(), { code: 'AIO_FILE_FIELD_CLOSED' });
      await assert.rejects(file.saveTo(path.join(server.tempDir, 'late')), { code: 'AIO_FILE_FIELD_CLOSED' });
      await assert.rejects(new Response(file.stream() as never).text());
    }
    assert.deepEqual(server.left(), []);
  });
});

describe('nothing is left of a form’s files', { timeout }, () => {
  const big = formPart('f', 'x'.repeat(2 * MIB), 'x');

  test('after an answer', async () => {
    await using server = await FormServer.start(async (request, tempDir) => {
      await request.post({ tempDir });
      return new web.Response();
    }, options);
    assert.equal((await server.post(form(big))).status, 200);
    await server.untilClean();
  });

  test('after an answer without a socket', async () => {
    await using server = await FormServer.start(async () => new web.Response());
    const app = new web.Application({ clientMaxSize: 0 });
    app.router.addPost('/', async (request) => {
      const file = fileOf(await request.post({ tempDir: server.tempDir }));
      return new web.Response({ text: `${file.size} ${onLinux ? server.open().length : 1}` });
    });
    const answer = await app.fetch(
      new Request('http://a/', {
        method: 'POST',
        body: form(big),
        headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      }),
    );
    assert.equal(await answer.text(), `${2 * MIB} 1`);
    await server.untilClean();
  });

  test('after an error of the handler', async () => {
    await using server = await FormServer.start(async (request, tempDir) => {
      await request.post({ tempDir });
      throw new Error('no');
    }, options);
    assert.equal((await server.post(form(big))).status, 500);
    await server.untilClean();
  });

  test('after a malformed or too large body', async () => {
    await using server = await FormServer.start(async (request, tempDir) => {
      await request.post({ tempDir, maxParts: 2 });
      return new web.Response();
    }, options);
    assert.equal((await server.post(big)).status, 400);
    await server.untilClean();
    assert.equal((await server.post(form(big, big, formPart('a', '')))).status, 413);
    await server.untilClean();
  });

  test('when the client leaves in the middle of the upload', async () => {
    const ends: unknown[] = [];
    await using server = await FormServer.start(async (request, tempDir) => {
      try {
        await request.post({ tempDir });
      } catch (error) {
        ends.push(error);
        throw error;
      }
      return new web.Response();
    }, options);
    const socket = await upload(server.port, BEGIN_FILE, Buffer.alloc(3 * MIB, 'x'));
    if (onLinux) while (server.open().length === 0) await turn();
    socket.destroy();
    while (ends.length === 0) await turn();
    await server.untilClean();
  });

  test('when the server shuts down in the middle of the upload', { skip: !onLinux }, async () => {
    const server = await FormServer.start(
      async (request, tempDir) => {
        await request.post({ tempDir });
        return new web.Response();
      },
      { ...options, shutdownTimeout: 0 },
    );
    const socket = await upload(server.port, BEGIN_FILE, Buffer.alloc(3 * MIB, 'x'));
    while (server.open().length === 0) await turn();
    await server[Symbol.asyncDispose]();
    while (server.open().length !== 0) await turn();
    socket.destroy();
  });

  test('when the client leaves while the handler works', async () => {
    let entered = false;
    await using server = await FormServer.start(async (request, tempDir) => {
      await request.post({ tempDir });
      entered = true;
      await once(request.signal, 'abort');
      return new web.Response();
    }, options);
    const leaving = new AbortController();
    const answer = server.fetch({
      body: form(big),
      headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      signal: leaving.signal,
    });
    answer.catch(() => {});
    while (!entered) await turn();
    if (onLinux) assert.equal(server.open().length, 1);
    leaving.abort();
    await assert.rejects(answer);
    await server.untilClean();
  });

  test('when the handler is cancelled in the middle of the upload', async () => {
    const ends: unknown[] = [];
    await using server = await FormServer.start(
      async (request, tempDir) => {
        try {
          await request.post({ tempDir });
        } catch (error) {
          ends.push(error);
          throw error;
        }
        return new web.Response();
      },
      { ...options, handlerCancellation: true },
    );
    const socket = await upload(server.port, BEGIN_FILE, Buffer.alloc(3 * MIB, 'x'));
    if (onLinux) while (server.open().length === 0) await turn();
    socket.destroy();
    while (ends.length === 0) await turn();
    await server.untilClean();
  });

  test('when the handler took too long', async () => {
    await using server = await FormServer.start(
      async (request, tempDir) => {
        await request.post({ tempDir });
        await once(request.signal, 'abort');
        return new web.Response();
      },
      { ...options, handlerTimeout: 300 },
    );
    assert.equal((await server.post(form(big))).status, 504);
    await server.untilClean();
  });

  test('when the disk does not take it: 500', async () => {
    await using server = await FormServer.start(async (request, tempDir) => {
      await request.post({ tempDir: path.join(tempDir, 'missing') });
      return new web.Response();
    }, options);
    assert.equal((await server.post(form(big))).status, 500);
    assert.match(server.logger.errors.join(), /ENOENT/);
    await server.untilClean();
  });

  // Nobody makes files in /proc, not even root, whom no mode of a folder stops.
  test('when the directory cannot be written: 500', { skip: !onLinux }, async () => {
    await using server = await FormServer.start(async (request) => {
      await request.post({ tempDir: '/proc' });
      return new web.Response();
    }, options);
    assert.equal((await server.post(form(big))).status, 500);
    await server.untilClean();
  });
});

test('an upload of 200 MB takes no memory that grows with it', { timeout }, async () => {
  const size = 200 * MIB;
  await using server = await FormServer.start(async (request, tempDir) => {
    const file = fileOf(await request.post({ tempDir }));
    return web.jsonResponse(file.size);
  }, options);
  const before = process.memoryUsage().rss;
  let most = 0;
  const chunk = Buffer.alloc(MIB, 'x');
  const head = BEGIN_FILE;
  const tail = '\r\n--b--\r\n';
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${head.length + size + tail.length}\r\n\r\n${head}`,
  );
  for (let sent = 0; sent < size; sent += MIB) {
    if (!socket.write(chunk)) await once(socket, 'drain');
    most = Math.max(most, process.memoryUsage().rss - before);
  }
  socket.write(tail);
  let answer = '';
  for await (const text of socket.setEncoding('latin1')) answer += text;
  assert.match(answer, new RegExp(`^HTTP/1.1 200 .*${size}$`, 's'));
  assert.ok(most < 120 * MIB, `${Math.round(most / MIB)} MiB more than before`);
  await server.untilClean();
});
