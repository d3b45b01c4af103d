// A measured server: a child process that says where it listens and what it has used.

import { MeasuredProcess } from '../measured-process.ts';

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

export class ServerProcess {
  readonly port: number;
  readonly #process: MeasuredProcess;

  private constructor(process: MeasuredProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start({ name, file }: Contender, node: string): Promise<ServerProcess> {
    const started = new MeasuredProcess(name, node, new URL(`servers/${file}`, import.meta.url), {});
    const { port } = (await started.ready()) as { port: number };
    return new ServerProcess(started, port);
  }

  /** Microseconds of CPU used so far, kernel included. */
  async cpu(): Promise<number> {
    const { user, system } = (await this.#process.ask('cpu')) as NodeJS.CpuUsage;
    return user + system;
  }

  /** Resident bytes. */
  async memory(): Promise<number> {
    return ((await this.#process.ask('memory')) as NodeJS.MemoryUsage).rss;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
