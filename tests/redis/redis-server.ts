// Real Redis servers for tests, each on a free port with its files in a directory of its own.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient, createCluster } from '@redis/client';

/** For `test(name, { skip: redisMissing }, …)`: what is missing, in a line, or `false`. */
export const redisMissing: string | false =
  spawnSync('redis-server', ['--version']).status === 0
    ? false
    : 'redis-server is not installed (apt-get install redis-server)';

/** A client with the settings that the package asks for. */
export type TestRedisClient = ReturnType<typeof makeClient>;

function makeClient(url: string) {
  return createClient({
    url,
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 },
    socket: { reconnectStrategy: 20 },
  });
}

/** A connected client; its connection errors are nobody's. Close it with `destroy()`. */
export async function connectClient(url: string): Promise<TestRedisClient> {
  const client = makeClient(url);
  client.on('error', () => {});
  await client.connect();
  return client;
}

export interface RedisServerOptions {
  /** Keeps the data over a restart. */
  readonly persistent?: boolean;
  readonly cluster?: boolean;
}

export class RedisServer {
  readonly port: number;
  readonly #directory: string;
  readonly #options: RedisServerOptions;
  #process: ChildProcess | undefined;
  /** Where the nodes of a cluster talk to each other. */
  busPort = 0;

  private constructor(port: number, options: RedisServerOptions) {
    this.port = port;
    this.#directory = mkdtempSync(path.join(tmpdir(), 'aiohttp-ts-redis-'));
    this.#options = options;
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(await freePort(), options);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        // Somebody else took the port in between.
        await server.stop();
        if (attempt === 5) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async #launch(): Promise<void> {
    const { persistent = false, cluster = false } = this.#options;
    if (cluster) this.busPort ||= await freePort();
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.#directory,
      save: '',
      appendonly: persistent ? 'yes' : 'no',
      appendfsync: 'always',
      'cluster-enabled': cluster ? 'yes' : 'no',
      ...(cluster && { 'cluster-port': this.busPort, 'cluster-node-timeout': 2000 }),
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = child;
    let log = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    const closed = once(child, 'close');
    while (!log.includes('Ready to accept connections')) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`redis-server ended: ${log}`);
      await Promise.race([once(child.stdout, 'data'), closed]);
    }
  }

  /** From now on it takes commands and answers none. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  /** Starts it again on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Three shards that share the slots. */
export class RedisCluster {
  readonly servers: readonly RedisServer[];

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers;
  }

  static async start(): Promise<RedisCluster> {
    const servers = await Promise.all([0, 1, 2].map(() => RedisServer.start({ cluster: true })));
    const cluster = new RedisCluster(servers);
    const clients = await Promise.all(servers.map(({ url }) => connectClient(url)));
    try {
      const slots = 16384;
      for (const [index, client] of clients.entries()) {
        const from = Math.floor((slots * index) / clients.length);
        const to = Math.floor((slots * (index + 1)) / clients.length) - 1;
        await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', String(from), String(to)]);
        await client.sendCommand(['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)]);
      }
      for (const [index, server] of servers.entries()) {
        if (index === 0) continue;
        await clients[0]!.sendCommand([
          'CLUSTER',
          'MEET',
          '127.0.0.1',
          String(server.port),
          String(server.busPort),
        ]);
      }
      for (const client of clients) {
        for (;;) {
          const info = await client.sendCommand<string>(['CLUSTER', 'INFO']);
          if (info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')) break;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    } finally {
      for (const client of clients) client.destroy();
    }
  }

  /** A connected cluster client; close it with `destroy()`. */
  async connect() {
    const client = createCluster({
      rootNodes: this.servers.map(({ url }) => ({ url })),
      defaults: { disableOfflineQueue: true },
      commandOptions: { timeout: 0 },
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
