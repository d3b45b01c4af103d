import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { web } from '../../src/index.ts';
import { makeCertificate } from '../net/certificates.ts';
import { collectingLogger } from './collecting-logger.ts';
import { rawRequest } from './raw-request.ts';

const { Application, AppRunner, Response, Server, ServerRunner, SockSite, TCPSite, UnixSite } = web;

const CLOSE = 'Host: a\r\nConnection: close\r\n\r\n';

function helloApp(): web.Application {
  const app = new Application({ logger: collectingLogger() });
  app.addRoutes([web.get('/', () => new Response({ text: 'hello' }))]);
  return app;
}

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function fetchText(port: number, path = '/'): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

describe('AppRunner', () => {
  test('starts the application, serves on several sites, and cleans up', async () => {
    const log: string[] = [];
    const app = helloApp();
    app.onStartup.append(() => void log.push('startup'));
    app.onShutdown.append(() => void log.push('shutdown'));
    app.onCleanup.append(() => void log.push('cleanup'));
    const runner = new AppRunner(app);
    await runner.setup();
    assert.equal(app.frozen, true);
    const sites = [new TCPSite(runner, '127.0.0.1', 0), new TCPSite(runner, '127.0.0.1', 0)];
    for (const site of sites) await site.start();
    assert.equal(runner.sites.size, 2);
    assert.deepEqual(
      runner.addresses.map((address) => (address as AddressInfo).port),
      sites.map((site) => site.port),
    );
    for (const site of sites) {
      assert.equal(site.name, `http://127.0.0.1:${site.port}`);
      assert.equal(await fetchText(site.port), 'hello');
    }
    assert.equal(runner.server?.requestsCount, 2);
    await runner.cleanup();
    assert.deepEqual(log, ['startup', 'shutdown', 'cleanup']);
    assert.equal(runner.sites.size, 0);
    await runner.closed;
    await assert.rejects(fetch(`http://127.0.0.1:${sites[0]?.port}/`));
  });

  test('a start that fails is thrown, and cleaned up by cleanup()', async () => {
    const log: string[] = [];
    const app = helloApp();
    app.cleanupCtx.append(async function* () {
      yield;
      log.push('exit');
    });
    app.onStartup.append(() => {
      throw new Error('no start');
    });
    const runner = new AppRunner(app);
    await assert.rejects(runner.setup(), /no start/);
    await runner.cleanup();
    assert.deepEqual(log, ['exit']);
  });

  test('options are checked before the application starts', async () => {
    const app = helloApp();
    let started = false;
    app.onStartup.append(() => {
      started = true;
    });
    const runner = new AppRunner(app, { keepAliveTimeout: -1 });
    await assert.rejects(runner.setup(), RangeError);
    assert.equal(started, false);
    await runner.cleanup();
    assert.throws(() => new AppRunner(app, { shutdownTimeout: Number.NaN }), RangeError);
    assert.throws(() => new AppRunner({} as never), TypeError);
  });

  test('handlerArgs of the application are the defaults of its servers', async () => {
    const app = new Application({ handlerArgs: { keepAliveTimeout: 1234, maxHeaders: 7 } });
    await using runner = new AppRunner(app, { maxHeaders: 8 });
    await runner.setup();
    assert.equal(runner.server?.options.keepAliveTimeout, 1234);
    assert.equal(runner.server?.options.maxHeaders, 8);
  });

  test('every step of the clean-up is taken, whatever fails', async () => {
    const log: string[] = [];
    const app = helloApp();
    app.onShutdown.append(() => {
      throw new Error('shutdown');
    });
    app.onCleanup.append(() => {
      log.push('cleanup');
      throw new Error('cleanup');
    });
    const runner = new AppRunner(app);
    await runner.setup();
    await new TCPSite(runner, '127.0.0.1', 0).start();
    await assert.rejects(runner.cleanup(), (error: unknown) => {
      assert.ok(error instanceof web.CleanupError);
      assert.deepEqual(error.errors.map(String), ['Error: shutdown', 'Error: cleanup']);
      return true;
    });
    assert.deepEqual(log, ['cleanup']);
    await assert.rejects(runner.closed, web.CleanupError);
  });

  test('cannot start again', async () => {
    const runner = new AppRunner(helloApp());
    await runner.cleanup();
    await assert.rejects(runner.setup(), { code: 'AIO_RUNNER_STATE' });
  });
});

describe('shutdown', () => {
  test('ends idle connections at once, refuses new ones, and lets a running handler answer', async () => {
    const entered = gate();
    const leave = gate();
    const shutDown = gate();
    const app = helloApp();
    const log: string[] = [];
    app.addRoutes([
      web.get('/slow', async () => {
        entered.open();
        await leave.opened;
        log.push('handler');
        return new Response({ text: 'slow answer' });
      }),
    ]);
    app.onShutdown.append(() => {
      log.push('shutdown');
      shutDown.open();
    });
    app.onCleanup.append(() => void log.push('cleanup'));
    const runner = new AppRunner(app);
    await runner.setup();
    const site = new TCPSite(runner, '127.0.0.1', 0);
    await site.start();
    const { port } = site;
    const idle = connect(port, '127.0.0.1');
    const idleEnded = new Promise((resolve) => idle.on('close', resolve));
    idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await new Promise((resolve) => idle.once('data', resolve));
    idle.resume();
    const slow = rawRequest(port, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await entered.opened;
    const cleanup = runner.cleanup();
    await shutDown.opened;
    await idleEnded;
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    leave.open();
    assert.match(await slow, /Connection: close[\s\S]*slow answer$/);
    await cleanup;
    assert.deepEqual(log, ['shutdown', 'handler', 'cleanup']);
  });

  test('cuts what is still running after shutdownTimeout, then cleans up', async () => {
    const entered = gate();
    const aborted = gate();
    const app = helloApp();
    app.addRoutes([
      web.get('/hang', async (request) => {
        request.signal.addEventListener('abort', () => aborted.open());
        entered.open();
        await new Promise(() => {});
        return new Response();
      }),
    ]);
    let cleaned = false;
    app.onCleanup.append(() => {
      cleaned = true;
    });
    const runner = new AppRunner(app, { shutdownTimeout: 20 });
    await runner.setup();
    const site = new TCPSite(runner, '127.0.0.1', 0);
    await site.start();
    const hanging = rawRequest(site.port, 'GET /hang HTTP/1.1\r\nHost: a\r\n\r\n');
    await entered.opened;
    await runner.cleanup();
    assert.equal(await hanging, '');
    await aborted.opened;
    assert.equal(cleaned, true);
  });

  test('a handler that throws GracefulExit ends the server', async () => {
    const app = helloApp();
    app.addRoutes([
      web.get('/stop', () => {
        throw new web.GracefulExit();
      }),
    ]);
    const runner = new AppRunner(app);
    await runner.setup();
    const site = new TCPSite(runner, '127.0.0.1', 0);
    await site.start();
    await rawRequest(site.port, `GET /stop HTTP/1.1\r\n${CLOSE}`);
    await runner.closed;
    assert.equal(runner.closing, true);
  });
});

describe('ServerRunner', () => {
  test('serves a low-level server', async () => {
    const server = new Server((request) => new Response({ text: `${request.method} ${request.path}` }), {
      logger: collectingLogger(),
    });
    await using runner = new ServerRunner(server);
    await runner.setup();
    const site = new TCPSite(runner, '127.0.0.1', 0);
    await site.start();
    assert.equal(await fetchText(site.port, '/x/%C3%A9'), 'GET /x/é');
    assert.equal(server.requestsCount, 1);
  });

  test('errors of its handler are answered like those of an application', async () => {
    const logger = collectingLogger();
    const server = new Server(
      (request) => {
        if (request.path === '/gone') throw new web.HTTPGone();
        return undefined as never;
      },
      { logger },
    );
    await using runner = new ServerRunner(server);
    await runner.setup();
    const site = new TCPSite(runner, '127.0.0.1', 0);
    await site.start();
    assert.equal((await fetch(`http://127.0.0.1:${site.port}/gone`)).status, 410);
    assert.equal((await fetch(`http://127.0.0.1:${site.port}/`)).status, 500);
    assert.match(logger.errors[0] ?? '', /Handler .+ of GET \/ returned nothing/);
    assert.match(await rawRequest(site.port, 'GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
  });
});

describe('sites', () => {
  test('need a runner that is set up, start once, and stop', async () => {
    const runner = new AppRunner(helloApp());
    const site = new TCPSite(runner, '127.0.0.1', 0);
    await assert.rejects(site.start(), { code: 'AIO_RUNNER_STATE', message: /runner\.setup\(\)/ });
    await runner.setup();
    await site.start();
    await assert.rejects(site.start(), { code: 'AIO_SITE_STATE' });
    const { port } = site;
    await site.stop();
    await site.stop();
    assert.equal(site.address, null);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    await runner.cleanup();
    await assert.rejects(site.start(), { code: 'AIO_RUNNER_STATE' });
  });

  test('an address in use is named, with what to do', async () => {
    await using runner = new AppRunner(helloApp());
    await runner.setup();
    const first = new TCPSite(runner, '127.0.0.1', 0);
    await first.start();
    const second = new TCPSite(runner, '127.0.0.1', first.port);
    await assert.rejects(second.start(), {
      name: 'ListenError',
      code: 'AIO_ADDRESS_IN_USE',
      message: `Cannot listen on http://127.0.0.1:${first.port}: the address is already in use. Stop the program that listens there, or choose another port (port 0 takes a free one)`,
    });
    assert.equal(runner.sites.size, 1);
  });

  test('an address of another machine is refused', async () => {
    await using runner = new AppRunner(helloApp());
    await runner.setup();
    await assert.rejects(new TCPSite(runner, '192.0.2.1', 0).start(), { code: 'AIO_ADDRESS_UNAVAILABLE' });
  });

  test('a site with a TLS context serves https', async () => {
    const { key, cert } = makeCertificate();
    const app = new Application({ logger: collectingLogger() });
    app.addRoutes([web.get('/', (request) => new Response({ text: `${request.scheme} ${request.secure}` }))]);
    await using runner = new AppRunner(app);
    await runner.setup();
    const site = new TCPSite(runner, '127.0.0.1', 0, { sslContext: { key, cert } });
    await site.start();
    assert.equal(site.name, `https://127.0.0.1:${site.port}`);
    const socket = connectTls({ host: '127.0.0.1', port: site.port, ca: cert, servername: 'localhost' });
    socket.end(`GET / HTTP/1.1\r\n${CLOSE}`);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhttps true$/);
  });

  test('two sites share a port with reusePort, where the system can do that', async () => {
    await using runner = new AppRunner(helloApp());
    await runner.setup();
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const canShare = process.platform === 'linux' && (major > 22 || (major === 22 && minor >= 12));
    const first = new TCPSite(runner, '127.0.0.1', 0, { reusePort: true });
    await first.start();
    const second = new TCPSite(runner, '127.0.0.1', first.port, { reusePort: true });
    if (canShare) {
      await second.start();
      assert.equal(second.port, first.port);
    } else {
      await assert.rejects(second.start(), web.ListenError);
    }
    assert.match(await rawRequest(first.port, `GET / HTTP/1.1\r\n${CLOSE}`), /hello$/);
  });

  test('have names', () => {
    const runner = new AppRunner(helloApp());
    assert.equal(new TCPSite(runner).name, 'http://0.0.0.0:8080');
    assert.equal(new TCPSite(runner, undefined, undefined, { sslContext: {} }).name, 'https://0.0.0.0:8443');
    assert.equal(new TCPSite(runner, '::1', 80).name, 'http://[::1]:80');
    assert.equal(new UnixSite(runner, '/run/app.sock').name, 'http://unix:/run/app.sock:');
    for (const port of [-1, 65_536, 1.5, '80' as never]) {
      assert.throws(() => new TCPSite(runner, undefined, port), RangeError);
    }
  });

  test('UnixSite listens on a path, takes over an abandoned one, and removes it', {
    skip: process.platform === 'win32',
  }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'aiohttp-ts-'));
    try {
      const path = join(directory, 'app.sock');
      await using runner = new AppRunner(helloApp());
      await runner.setup();
      const site = new UnixSite(runner, path);
      await site.start();
      const answer = await new Promise<string>((resolve, reject) => {
        const client = connect(path);
        let text = '';
        client.setEncoding('latin1').on('data', (piece) => {
          text += piece;
        });
        client.on('close', () => resolve(text)).on('error', reject);
        client.write(`GET / HTTP/1.1\r\n${CLOSE}`);
      });
      assert.match(answer, /hello$/);
      assert.deepEqual(runner.addresses, [path]);
      await assert.rejects(new UnixSite(runner, path).start(), { code: 'AIO_ADDRESS_IN_USE' });
      await runner.cleanup();
      assert.equal(existsSync(path), false);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('SockSite takes a server that listens already', async () => {
    const bound = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => bound.listen(0, '127.0.0.1', resolve));
    const { port } = bound.address() as AddressInfo;
    const runner = new AppRunner(helloApp());
    await runner.setup();
    const site = new SockSite(runner, bound);
    await site.start();
    assert.equal(site.name, `http://127.0.0.1:${port}`);
    assert.equal(await fetchText(port), 'hello');
    await runner.cleanup();
    assert.equal(bound.listening, false);
  });

  test('SockSite refuses what is no socket', async () => {
    const runner = new AppRunner(helloApp());
    assert.throws(() => new SockSite(runner, 'x' as never), TypeError);
    assert.throws(() => new SockSite(runner, createServer(), { sslContext: {} }), RangeError);
    await runner.setup();
    await assert.rejects(new SockSite(runner, createServer()).start(), { code: 'AIO_SITE_STATE' });
    await runner.cleanup();
  });
});
