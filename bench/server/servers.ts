// The servers that are compared, and one running server as the bench sees it: a child process that says where it
// listens and what it has used.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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

/** A question to a server must be answered within this time; a server that starts must be ready within it. */
const patience = 20_000;

export class RunningServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(contender: Contender, scenario: Scenario, node: string): Promise<RunningServer> {
    const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
    const task = {
      program: scenario.program,
      variant: contender.variant,
      tls: scenario.tls
        ? { key: readFileSync(here('tls/key.pem'), 'utf8'), cert: readFileSync(here('tls/cert.pem'), 'utf8') }
        : undefined,
    };
    const child = spawn(
      node,
      ['--expose-gc', '--no-warnings', here(`servers/${contender.file}`), JSON.stringify(task)],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, NODE_ENV: 'production' } },
    );
    try {
      const [message] = await once(child, 'message', {
        signal: AbortSignal.any([AbortSignal.timeout(patience), exitSignal(child)]),
      });
      return new RunningServer(child, (message as { port: number }).port);
    } catch (cause) {
      child.kill('SIGKILL');
      throw new Error(`${contender.name} did not start for the scenario '${scenario.name}'`, { cause });
    }
  }

  /** Microseconds of CPU that the process has used so far, all threads. */
  async cpu(): Promise<NodeJS.CpuUsage> {
    return (await this.#ask('cpu')) as NodeJS.CpuUsage;
  }

  /** After a full garbage collection. */
  async memory(): Promise<NodeJS.MemoryUsage> {
    return (await this.#ask('memory')) as NodeJS.MemoryUsage;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async #ask(question: 'cpu' | 'memory'): Promise<unknown> {
    const answered = once(this.#child, 'message', { signal: AbortSignal.timeout(patience) });
    this.#child.send(question);
    const [answer] = await answered;
    return answer;
  }
}

function exitSignal(child: ChildProcess): AbortSignal {
  const controller = new AbortController();
  child.once('exit', (code, signal) => controller.abort(new Error(`the process ended (${code ?? signal})`)));
  return controller.signal;
}
