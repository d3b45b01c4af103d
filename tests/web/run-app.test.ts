import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { web } from '../../src/index.ts';
import { collectingLogger } from './collecting-logger.ts';
import { rawRequest } from './raw-request.ts';

const PROGRAM = fileURLToPath(new URL('./programs/serve.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** The program in a process of its own. */
class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  output = '';
  #errors = '';
  #watchers: (() => void)[] = [];

  constructor(options: object = {}, extra: readonly number[] = []) {
    this.child = spawn(process.execPath, ['--import', TSX, PROGRAM, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe', ...extra],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        for (const watcher of this.#watchers.splice(0)) watcher();
        resolve({ code, signal, output: this.output, errors: this.#errors });
      });
    });
  }

  /** Waits until the output matches; fails when the program ends before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) return found;
      assert.equal(this.child.exitCode, null, `ended without ${pattern}: ${this.output}${this.#errors}`);
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  async port(): Promise<number> {
    return Number((await this.says(/Running on http:\/\/127\.0\.0\.1:(\d+) =/))[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
    await this.ended;
  }
}

const skip = process.platform === 'win32';

describe('in a process', { skip, concurrency: 2 }, () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends it in good order, with exit code 0`, async () => {
      await using program = new Program();
      const port = await program.port();
      assert.match(
        program.output,
        new RegExp(`======== Running on http://127.0.0.1:${port} ========\\n\\(Press CTRL\\+C to quit\\)\\n`),
      );
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'hello');
      program.child.kill(signal);
      const { code, output, errors } = await program.ended;
      assert.equal(code, 0, errors);
      assert.match(output, /enter\n[\s\S]*quit\)\nshutdown\nexit\nreturned\n$/);
      assert.equal(errors, '');
    });
  }

  test('a running handler ends before the clean-up', async () => {
    await using program = new Program();
    const port = await program.port();
    const answer = rawRequest(port, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await program.says(/slow: begins/);
    program.child.kill('SIGTERM');
    assert.match(await answer, /slow answer$/);
    const { code, output } = await program.ended;
    assert.equal(code, 0);
    assert.match(output, /shutdown\nslow: ends\nexit\nreturned\n$/);
  });

  test('a handler that hangs is cut after shutdownTimeout', async () => {
    await using program = new Program({ shutdownTimeout: 50 });
    const answer = rawRequest(await program.port(), 'GET /hang HTTP/1.1\r\nHost: a\r\n\r\n');
    await program.says(/hang: begins/);
    program.child.kill('SIGINT');
    assert.equal(await answer, '');
    const { code, output } = await program.ended;
    assert.equal(code, 0);
    assert.match(output, /exit\nreturned\n$/);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`a second ${signal} ends it at once, with exit code ${code}`, async () => {
      await using program = new Program({ hangCleanup: true });
      await program.port();
      program.child.kill('SIGTERM');
      await program.says(/clean-up hangs/);
      program.child.kill(signal);
      const outcome = await program.ended;
      assert.equal(outcome.code, code);
      assert.doesNotMatch(outcome.output, /returned/);
    });
  }

  test('a second signal ends a start that hangs', async () => {
    await using program = new Program({ hangStart: true });
    await program.says(/start hangs/);
    program.child.kill('SIGINT');
    program.child.kill('SIGTERM');
    const { code } = await program.ended;
    assert.ok(code === 143 || code === 130);
  });

  test('a failing start rejects: exit code 1, after what was entered was left', async () => {
    await using program = new Program({ failStart: true });
    const { code, output, errors } = await program.ended;
    assert.equal(code, 1);
    assert.equal(output, 'enter\nexit\n');
    assert.match(errors, /Error: start failed/);
  });

  test('a failing clean-up rejects: exit code 1', async () => {
    await using program = new Program({ failCleanup: true });
    await program.port();
    program.child.kill('SIGTERM');
    const { code, errors } = await program.ended;
    assert.equal(code, 1);
    assert.match(errors, /clean-up failed/);
  });

  test('a port in use: exit code 1 and what to do', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await using program = new Program({ port });
    const { code, output, errors } = await program.ended;
    other.close();
    assert.equal(code, 1);
    assert.match(
      errors,
      new RegExp(`Cannot listen on http://127.0.0.1:${port}: the address is already in use`),
    );
    assert.match(output, /enter\n(shutdown\n)?exit\n$/);
  });

  test('GracefulExit thrown by a handler ends it with exit code 0', async () => {
    await using program = new Program({ source: 'function' });
    await rawRequest(await program.port(), 'GET /exit HTTP/1.1\r\nHost: a\r\n\r\n');
    const { code, output } = await program.ended;
    assert.equal(code, 0);
    assert.match(output, /exit\nreturned\n$/);
  });

  test('an inherited file descriptor is served', async () => {
    const bound = createServer();
    await new Promise<void>((resolve) => bound.listen(0, '127.0.0.1', resolve));
    const { port } = bound.address() as AddressInfo;
    const { fd } = (bound as unknown as { _handle: { fd: number } })._handle;
    await using program = new Program({ sock: 3, host: undefined, port: undefined, source: 'promise' }, [fd]);
    await program.says(/Running on/);
    bound.close();
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'hello');
    program.child.kill('SIGTERM');
    assert.equal((await program.ended).code, 0);
  });
});

describe('in this process', () => {
  function helloApp(): web.Application {
    const app = new web.Application({ logger: collectingLogger() });
    app.addRoutes([web.get('/', () => new web.Response({ text: 'hello' }))]);
    return app;
  }

  test('several hosts and a path at once; an AbortSignal ends it', { skip }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'aiohttp-ts-'));
    const controller = new AbortController();
    const lines: string[] = [];
    const path = join(directory, 'a.sock');
    const listeners = process.listenerCount('SIGINT');
    try {
      await web.runApp(helloApp(), {
        host: ['127.0.0.1', 'localhost'],
        port: 0,
        path,
        signal: controller.signal,
        handleSignals: false,
        print: (message) => {
          lines.push(message);
          const client = connect(path);
          client.on('connect', () => {
            client.destroy();
            controller.abort();
          });
        },
      });
    } finally {
      await rm(directory, { recursive: true });
    }
    assert.match(
      lines.join(),
      /^======== Running on http:\/\/127\.0\.0\.1:\d+, http:\/\/localhost:\d+, http:\/\/unix:.*a\.sock: ========\n\(Press CTRL\+C to quit\)$/,
    );
    assert.equal(process.listenerCount('SIGINT'), listeners);
  });

  test('a signal that was aborted before starts nothing', async () => {
    const app = helloApp();
    let started = false;
    app.onStartup.append(() => {
      started = true;
    });
    await web.runApp(app, { signal: AbortSignal.abort(), print: false });
    assert.equal(started, false);
  });

  test('GracefulExit during the start resolves, other errors reject and leave no listener', async () => {
    const listeners = process.listenerCount('SIGTERM');
    const stopping = helloApp();
    stopping.onStartup.append(() => {
      throw new web.GracefulExit();
    });
    await web.runApp(stopping, { print: false });
    const failing = async (): Promise<web.Application> => {
      throw new Error('no application');
    };
    await assert.rejects(web.runApp(failing, { print: false }), /no application/);
    await assert.rejects(web.runApp(undefined as never, { print: false }), TypeError);
    assert.equal(process.listenerCount('SIGTERM'), listeners);
  });
});
