// A master, its replica, and a sentinel that makes the replica the master when the other one is gone.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSentinel } from '@redis/client';
import { connectClient, freePort, RedisServer } from './redis-server.ts';

const groupName = 'main';

export class RedisSentinel {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly #port: number;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(master: RedisServer, replica: RedisServer, port: number) {
    this.master = master;
    this.replica = replica;
    this.#port = port;
    this.#directory = mkdtempSync(path.join(tmpdir(), 'aiohttp-ts-sentinel-'));
    const file = path.join(this.#directory, 'sentinel.conf');
    const settings = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${this.#directory}`,
      `sentinel monitor ${groupName} 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds ${groupName} 500`,
      `sentinel failover-timeout ${groupName} 3000`,
    ];
    writeFileSync(file, `${settings.join('\n')}\n`);
    this.#process = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  }

  static async start(): Promise<RedisSentinel> {
    const [master, replica] = await Promise.all([RedisServer.start(), RedisServer.start()]);
    let sentinel: RedisSentinel | undefined;
    try {
      await replicate(master, replica);
      sentinel = new RedisSentinel(master, replica, await freePort());
      await sentinel.#ready();
      return sentinel;
    } catch (error) {
      await (sentinel?.stop() ?? Promise.all([master.stop(), replica.stop()]));
      throw error;
    }
  }

  /** Waits until the sentinel knows the replica. */
  async #ready(): Promise<void> {
    const client = await eventually(() => connectClient(`redis://127.0.0.1:${this.#port}`));
    try {
      await eventually(async () => {
        const command = ['SENTINEL', 'REPLICAS', groupName];
        const [replica] = await client.sendCommand<Record<string, string>[]>(command);
        if (replica?.['master-link-status'] !== 'ok') throw new Error('The sentinel knows no replica yet');
      });
    } finally {
      client.destroy();
    }
  }

  /** Where the master is, as the sentinel says. */
  async masterPort(): Promise<number> {
    const client = await connectClient(`redis://127.0.0.1:${this.#port}`);
    try {
      const address = await client.sendCommand<string[]>(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', groupName]);
      return Number(address[1]);
    } finally {
      client.destroy();
    }
  }

  /** A connected client; close it with `destroy()`. */
  async connect() {
    const client = createSentinel({
      name: groupName,
      sentinelRootNodes: [{ host: '127.0.0.1', port: this.#port }],
      nodeClientOptions: { disableOfflineQueue: true },
      commandOptions: { timeout: 0 },
      scanInterval: 200,
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    await Promise.all([this.master.stop(), this.replica.stop()]);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Makes one server the other one's replica, and waits until it has what the master has. */
async function replicate(master: RedisServer, replica: RedisServer): Promise<void> {
  const [client, masterClient] = await Promise.all([connectClient(replica.url), connectClient(master.url)]);
  try {
    // A master waits five seconds for more replicas otherwise.
    await masterClient.sendCommand(['CONFIG', 'SET', 'repl-diskless-sync-delay', '0']);
    await client.sendCommand(['REPLICAOF', '127.0.0.1', String(master.port)]);
    // A sentinel asks once in ten seconds: it should see a whole replica the first time.
    await eventually(async () => {
      const info = await client.sendCommand<string>(['INFO', 'replication']);
      if (!info.includes('master_link_status:up')) throw new Error('The replica has not got its data yet');
    });
  } finally {
    client.destroy();
    masterClient.destroy();
  }
}

/** Tries again and again, for a minute at most. */
export async function eventually<R>(attempt: () => Promise<R>): Promise<R> {
  for (const end = performance.now() + 60_000; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
