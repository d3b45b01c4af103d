// The servers that are compared, and one running server as the bench sees it: a child process that says where it
// listens and what it has used.

import { readFileSync } from 'node:fs';
import { MeasuredProcess } from '../measured-process.ts';
import type { Scenario } from './scenarios.ts';

export interface Contender {
  readonly name: string;
  /** File below servers/. */
  readonly file: string;
  readonly variant?: string;
  readonly ours?: boolean;
  /** Only these scenarios; all of them when left out. */
  readonly scenarios?: readonly string[];
  /** The oldest Node that has what the variant needs. */
  readonly minimumNode?: readonly [number, number];
}

export const contenders: readonly Contender[] = [
  { name: 'bare socket', file: 'socket.mjs' },
  { name: 'aiohttp-ts', file: 'aiohttp-ts.mjs', ours: true },
  {
    name: 'aiohttp-ts, asyncio imported',
    file: 'aiohttp-ts.mjs',
    variant: 'asyncio',
    scenarios: ['text', 'json'],
  },
  {
    name: 'aiohttp-ts, handler tasks',
    file: 'aiohttp-ts.mjs',
    variant: 'tasks',
    scenarios: ['text', 'json'],
  },
  { name: 'node:http', file: 'node-http.mjs' },
  { name: 'node:http, optimized', file: 'node-http.mjs', variant: 'optimized', minimumNode: [24, 12] },
  { name: 'Hono', file: 'hono.mjs' },
  { name: 'Fastify', file: 'fastify.mjs' },
  { name: 'Express', file: 'express.mjs' },
];

/** Whether `contender` can run on a Node of `version` (`24.12.0`). */
export function runsOn(contender: Contender, version: string): boolean {
  if (contender.minimumNode === undefined) return true;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [needsMajor, needsMinor] = contender.minimumNode;
  return major > needsMajor || (major === needsMajor && minor >= needsMinor);
}

export class RunningServer {
  readonly port: number;
  readonly #process: MeasuredProcess;

  private constructor(process: MeasuredProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(
    { name, file, variant }: Contender,
    { name: scenario, program, tls }: Scenario,
    node: string,
  ): Promise<RunningServer> {
    const here = (path: string): URL => new URL(path, import.meta.url);
    const task = {
      program,
      variant,
      tls: tls
        ? { key: readFileSync(here('tls/key.pem'), 'utf8'), cert: readFileSync(here('tls/cert.pem'), 'utf8') }
        : undefined,
    };
    const what = `${name}, scenario '${scenario}',`;
    const started = new MeasuredProcess(what, node, here(`servers/${file}`), task, ['--expose-gc']);
    const { port } = (await started.ready()) as { port: number };
    return new RunningServer(started, port);
  }

  /** Microseconds of CPU that the process has used so far, all threads. */
  async cpu(): Promise<NodeJS.CpuUsage> {
    return (await this.#process.ask('cpu')) as NodeJS.CpuUsage;
  }

  /** After a full garbage collection. */
  async memory(): Promise<NodeJS.MemoryUsage> {
    return (await this.#process.ask('memory')) as NodeJS.MemoryUsage;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
