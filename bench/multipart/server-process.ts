// A measured server: a child process that says where it listens and what it has used.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Contender {
  readonly name: string;
  /** File below servers/. */
  readonly file: string;
}

/** The first one is ours. */
export const contenders: readonly Contender[] = [
  { name: 'aiohttp-ts', file: 'aiohttp-ts.mjs' },
  { name: 'busboy', file: 'busboy.mjs' },
  { name: '@fastify/multipart', file: 'fastify.mjs' },
];

const PATIENCE = 20_000;

export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start({ file }: Contender, node: string): Promise<ServerProcess> {
    const child = spawn(node, ['--no-warnings', fileURLToPath(new URL(`servers/${file}`, import.meta.url))], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const [{ port }] = await once(child, 'message', { signal: AbortSignal.timeout(PATIENCE) });
    return new ServerProcess(child, port);
  }

  /** Microseconds of CPU used so far, kernel included. */
  async cpu(): Promise<number> {
    const { user, system } = (await this.#ask('cpu')) as NodeJS.CpuUsage;
    return user + system;
  }

  /** Resident bytes. */
  async memory(): Promise<number> {
    return ((await this.#ask('memory')) as NodeJS.MemoryUsage).rss;
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }

  async #ask(question: string): Promise<unknown> {
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(PATIENCE) });
    this.#child.send(question);
    return (await answer)[0];
  }
}
