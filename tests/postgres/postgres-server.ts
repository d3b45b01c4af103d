import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { appendFile, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Of the super user. It must survive its way through a URL. */
const PASSWORD = 'p@ss/wörd?';

/** Where `initdb` and `postgres` are: in PATH, or where Debian puts them; `undefined` when they are not installed. */
function findPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => path.join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(path.delimiter),
  ];
  return folders.find((folder) => folder !== '' && existsSync(path.join(folder, 'initdb')));
}

const programs = findPrograms();

/** For `describe`'s `skip`: why tests of PostgreSQL cannot run here, or `false`. */
export const withoutPostgres: string | false =
  programs === undefined && 'PostgreSQL is not installed (Debian: apt-get install postgresql)';

/** PostgreSQL refuses to run as root, so root runs it as somebody else. */
async function unprivileged(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, name])));
      return { uid: Number(uid!.stdout), gid: Number(gid!.stdout) };
    } catch {
      // There is no such user: the next one.
    }
  }
  throw new Error('PostgreSQL needs a user that is not root: there is neither postgres nor nobody');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * A PostgreSQL server of its own, in a folder of its own, for one test file. It ends when it is stopped, and also when the process
 * that started it ends in whatever way: a shell between the two waits for the end of its input.
 */
export class PostgresServer {
  readonly #folder: string;
  readonly #user: { uid?: number; gid?: number };
  #port: number;
  #process: ChildProcess | undefined;

  private constructor(folder: string, user: { uid?: number; gid?: number }, port: number) {
    this.#folder = folder;
    this.#user = user;
    this.#port = port;
  }

  /** @param certificate - for TLS, without which TCP is refused then */
  static async start(certificate?: { readonly cert: string; readonly key: string }): Promise<PostgresServer> {
    if (programs === undefined) throw new Error(String(withoutPostgres));
    const user = await unprivileged();
    const folder = await mkdtemp(path.join(tmpdir(), 'aiohttp-ts-postgres-'));
    try {
      const passwords = path.join(folder, 'password');
      await writeFile(passwords, PASSWORD);
      if (user.uid !== undefined && user.gid !== undefined) {
        await chown(folder, user.uid, user.gid);
        await chown(passwords, user.uid, user.gid);
      }
      await run(
        path.join(programs, 'initdb'),
        [
          ...['-D', path.join(folder, 'data'), '-U', 'aiohttp', '--pwfile', passwords],
          ...['-E', 'UTF8', '--locale=C', '--no-sync', '--auth-host=scram-sha-256', '--auth-local=trust'],
        ],
        { ...user, cwd: folder },
      );
      if (certificate !== undefined) await PostgresServer.#requireTls(folder, user, certificate);
      const server = new PostgresServer(folder, user, await freePort());
      await server.restart();
      return server;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  static async #requireTls(
    folder: string,
    { uid, gid }: { uid?: number; gid?: number },
    { cert, key }: { readonly cert: string; readonly key: string },
  ): Promise<void> {
    const data = path.join(folder, 'data');
    for (const [name, text] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const) {
      await writeFile(path.join(data, name), text, { mode: 0o600 });
      if (uid !== undefined && gid !== undefined) await chown(path.join(data, name), uid, gid);
    }
    await appendFile(path.join(data, 'postgresql.conf'), '\nssl = on\n');
    await writeFile(
      path.join(data, 'pg_hba.conf'),
      'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n',
    );
  }

  /** Over TCP, with a password. */
  get url(): string {
    return `postgres://aiohttp:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.#port}/postgres`;
  }

  /** Over a Unix socket, without a password. */
  get socketUrl(): string {
    return `postgresql://aiohttp@${encodeURIComponent(this.#folder)}:${this.#port}/postgres`;
  }

  get password(): string {
    return PASSWORD;
  }

  /** Starts it again after `crash`, on the same port with the same data. */
  async restart(): Promise<void> {
    const settings = {
      port: this.#port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.#folder,
      fsync: 'off',
      full_page_writes: 'off',
      max_connections: 60,
      shared_buffers: '16MB',
      max_wal_size: '64MB',
      lc_messages: 'C',
      timezone: 'Asia/Kathmandu', // nobody's default
    };
    // The second child ends the shell when PostgreSQL ends by itself: nobody would write to it then.
    const script = `"$@" & server=$!
      (while kill -0 $server 2>/dev/null; do sleep 0.2; done; kill $$ 2>/dev/null) &
      read order; trap '' TERM; kill -QUIT $server; wait $server; [ "$order" = keep ] || rm -rf "$PWD"`;
    const child = spawn(
      '/bin/sh',
      [
        ...['-c', script, 'sh', path.join(programs!, 'postgres'), '-D', path.join(this.#folder, 'data')],
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { ...this.#user, cwd: this.#folder, stdio: ['pipe', 'ignore', 'pipe'] },
    );
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('ready to accept connections')) resolve();
      });
      child.once('close', () => reject(new Error(`PostgreSQL did not start\n${log}`)));
    });
    this.#process = child;
  }

  /** Ends it at once, without a word to its clients' transactions. */
  async crash(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'exit');
    child.stdin!.end('keep\n');
    await closed;
  }

  async stop(): Promise<void> {
    await this.crash();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
