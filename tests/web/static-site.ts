import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { web } from '../../src/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import { collectingLogger } from './collecting-logger.ts';
import { rawRequest } from './raw-request.ts';

/** An answer as it stood on the wire; the body as latin1. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A directory of files that is removed in the end. */
export class FileTree implements Disposable {
  readonly base: string = mkdtempSync(path.join(tmpdir(), 'aio-static-'));
  /** What is served. Beside it lies `secret.txt`. */
  readonly root: string = path.join(this.base, 'root');

  constructor(files: Files) {
    mkdirSync(this.root);
    writeFileSync(path.join(this.base, 'secret.txt'), 'SECRET');
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  write(name: string, content: string | Uint8Array): string {
    const file = this.path(name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  path(name: string): string {
    return path.join(this.root, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** An application on a socket. */
export class RunningApp implements AsyncDisposable {
  readonly port: number;
  readonly logger: ReturnType<typeof collectingLogger>;
  readonly #server: TestServer;

  private constructor(server: TestServer, logger: ReturnType<typeof collectingLogger>) {
    this.#server = server;
    this.port = server.port;
    this.logger = logger;
  }

  static async start(
    routes: Iterable<web.RouteDefinition>,
    middlewares: web.Middleware[] = [],
  ): Promise<RunningApp> {
    const logger = collectingLogger();
    const app = new web.Application({ middlewares, logger });
    app.addRoutes(routes);
    return new RunningApp(await new TestServer(app).start(), logger);
  }

  /** Sends one request whose target goes out as it is. */
  async request(
    target: string,
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
  ): Promise<WireAnswer> {
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = `${method} ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${fields.join('')}\r\n`;
    return parseAnswer(await rawRequest(this.port, text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

export function parseAnswer(text: string): WireAnswer {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) throw new Error(`no whole head: ${JSON.stringify(text.slice(0, 200))}`);
  const [line = '', ...fields] = text.slice(0, end).split('\r\n');
  const headers = new Map(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(line.split(' ')[1]), headers, body: text.slice(end + 4) };
}

/** Serves `tree` under `/static` while `use` runs. */
export async function withStatic(
  files: Files,
  options: web.StaticOptions,
  use: (app: RunningApp, tree: FileTree) => Promise<void>,
): Promise<void> {
  const tree = new FileTree(files);
  try {
    const app = await RunningApp.start([web.static('/static', tree.root, options)]);
    try {
      await use(app, tree);
    } finally {
      await app[Symbol.asyncDispose]();
    }
  } finally {
    tree[Symbol.dispose]();
  }
}

/** Paths below `base` that this process holds open; `undefined` where the system does not tell. */
export function openFilesBelow(base: string): string[] | undefined {
  if (!existsSync('/proc/self/fd')) return undefined;
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(base) ? [target] : [];
    } catch {
      return [];
    }
  });
}
