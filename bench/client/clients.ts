// The clients that are compared, and the processes of a measurement: one that is asked and one for each client.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Scenario } from './scenarios.ts';

export interface Contender {
  readonly name: string;
  /** File below clients/. */
  readonly file: string;
  readonly variant?: string;
  readonly ours?: boolean;
  /** Only these scenarios; all of them when left out. */
  readonly scenarios?: readonly string[];
}

export const contenders: readonly Contender[] = [
  { name: 'bare socket', file: 'socket.mjs' },
  { name: 'aiohttp-ts', file: 'aiohttp-ts.mjs', ours: true },
  {
    name: 'aiohttp-ts, headers, jar, timeouts',
    file: 'aiohttp-ts.mjs',
    variant: 'full',
    scenarios: ['get', 'one', 'post'],
  },
  { name: 'undici', file: 'undici.mjs' },
  { name: 'node:http', file: 'node-http.mjs' },
  { name: 'fetch', file: 'fetch.mjs' },
  { name: 'got', file: 'got.mjs' },
  { name: 'axios', file: 'axios.mjs' },
  { name: 'ky', file: 'ky.mjs' },
];

/** What a client used. CPU times are microseconds, all threads of the process. */
export interface Cost {
  readonly requests: number;
  readonly user: number;
  readonly system: number;
}

/** A process that starts must be ready within this time, and one that measures may be late by as much. */
const patience = 30_000;

class Process {
  readonly #child: ChildProcess;

  constructor(node: string, file: string, task: object) {
    const program = fileURLToPath(new URL(file, import.meta.url));
    this.#child = spawn(node, ['--no-warnings', program, JSON.stringify(task)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
  }

  /** Its next message. @throws when it ends, or says nothing for too long */
  async message(milliseconds: number = patience): Promise<unknown> {
    const ended = new AbortController();
    const onExit = (code: number | null, signal: string | null): void =>
      ended.abort(new Error(`the process ended (${code ?? signal})`));
    this.#child.once('exit', onExit);
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(milliseconds), ended.signal]);
      const [message] = await once(this.#child, 'message', { signal });
      return message;
    } finally {
      this.#child.off('exit', onExit);
    }
  }

  send(message: object): void {
    this.#child.send(message);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** The server that is asked. */
export class Origin {
  readonly port: number;
  readonly #process: Process;

  private constructor(process: Process, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(node: string): Promise<Origin> {
    const started = new Process(node, 'origin.mjs', {});
    const { port } = (await started.message()) as { port: number };
    return new Origin(started, port);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

/** A client that repeats one scenario. */
export class RunningClient {
  readonly #process: Process;
  readonly #what: string;

  private constructor(process: Process, what: string) {
    this.#process = process;
    this.#what = what;
  }

  static async start(
    contender: Contender,
    scenario: Scenario,
    port: number,
    node: string,
  ): Promise<RunningClient> {
    const { program, concurrency } = scenario;
    const { variant } = contender;
    const task = { program, concurrency, port, origin: `http://127.0.0.1:${port}`, variant };
    const started = new Process(node, `clients/${contender.file}`, task);
    try {
      await started.message();
    } catch (cause) {
      await started.stop();
      throw new Error(`${contender.name} did not start for the scenario '${scenario.name}'`, { cause });
    }
    return new RunningClient(started, `${contender.name}, scenario '${scenario.name}'`);
  }

  async run(seconds: number): Promise<Cost> {
    const answered = this.#process.message(seconds * 1_000 + patience);
    this.#process.send({ seconds });
    try {
      return (await answered) as Cost;
    } catch (cause) {
      throw new Error(`${this.#what}: the measurement failed`, { cause });
    }
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
