import { readdirSync, readlinkSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { web } from '../../src/index.ts';
import { TestServer, type TestServerOptions } from '../../src/testing/index.ts';
import { collectingLogger } from './collecting-logger.ts';

/** Serves a handler for `POST /` with a directory of its own for temporary files. */
export class FormServer implements AsyncDisposable {
  readonly tempDir: string;
  readonly logger: ReturnType<typeof collectingLogger>;
  readonly #server: TestServer;

  private constructor(tempDir: string, logger: ReturnType<typeof collectingLogger>, server: TestServer) {
    this.tempDir = tempDir;
    this.logger = logger;
    this.#server = server;
  }

  static async start(
    handler: (request: web.Request, tempDir: string) => Promise<web.StreamResponse>,
    options: web.ApplicationOptions & TestServerOptions = {},
  ): Promise<FormServer> {
    const tempDir = await mkdtemp(path.join(tmpdir(), 'aiohttp-ts-test-'));
    const logger = collectingLogger();
    const app = new web.Application({ clientMaxSize: options.clientMaxSize, logger });
    app.router.addRoute('*', '/', (request) => handler(request, tempDir));
    const { clientMaxSize: _, ...rest } = options;
    return new FormServer(tempDir, logger, await new TestServer(app, rest).start());
  }

  get port(): number {
    return this.#server.port;
  }

  fetch(init: RequestInit): Promise<Response> {
    return this.#server.fetch('/', { method: 'POST', ...init });
  }

  /** Posts a multipart body as it stands. */
  post(body: string | Uint8Array, type = 'multipart/form-data; boundary=b'): Promise<Response> {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : Buffer.from(body);
    return this.fetch({ body: bytes, headers: { 'Content-Type': type } });
  }

  /** What is in the directory for temporary files. */
  left(): string[] {
    return readdirSync(this.tempDir);
  }

  /** Files of that directory that this process has open, whether they still have a name or not. */
  open(): string[] {
    return readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        return target.startsWith(this.tempDir) ? [`/proc/self/fd/${fd}`] : [];
      } catch {
        return [];
      }
    });
  }

  /** Waits until nothing is left of temporary files; what is left never goes away fails the test by its time limit. */
  async untilClean(): Promise<void> {
    while (this.left().length !== 0 || (process.platform === 'linux' && this.open().length !== 0))
      await turn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    rmSync(this.tempDir, { recursive: true });
  }
}

/** One part of a form. */
export function formPart(name: string, data: string, filename?: string, type?: string): string {
  const file = filename === undefined ? '' : `; filename="${filename}"`;
  const contentType = type === undefined ? '' : `Content-Type: ${type}\r\n`;
  return `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${contentType}\r\n${data}\r\n`;
}

/** A whole form of such parts. */
export function form(...parts: string[]): string {
  return `${parts.join('')}--b--\r\n`;
}
