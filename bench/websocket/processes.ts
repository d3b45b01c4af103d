// What is compared, and the processes of a measurement: a server, and the client that talks to it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Scenario } from './scenarios.ts';

export interface Contender {
  readonly name: string;
  /** File below servers/ and clients/. */
  readonly file: string;
}

/** Each is there as a server and as a client. */
export const contenders: readonly Contender[] = [
  { name: 'bare socket', file: 'socket.mjs' },
  { name: 'aiohttp-ts', file: 'aiohttp-ts.mjs' },
  { name: 'ws', file: 'ws.mjs' },
];

/** CPU times are microseconds, all threads of the process. */
export interface Cpu {
  readonly user: number;
  readonly system: number;
}

/** What a client used for so many messages that were sent and came back. */
export interface Cost extends Cpu {
  readonly messages: number;
}

/** A process that starts must be ready within this time, and one that measures may be late by as much. */
const patience = 30_000;

class Process {
  readonly #child: ChildProcess;
  readonly #what: string;

  constructor(node: string, file: string, task: object) {
    this.#what = `${file} ${JSON.stringify(task)}`;
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
    } catch (cause) {
      throw new Error(`${this.#what} failed`, { cause });
    } finally {
      this.#child.off('exit', onExit);
    }
  }

  async ask(question: object, milliseconds?: number): Promise<unknown> {
    const answered = this.message(milliseconds);
    this.#child.send(question);
    return await answered;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** An echo server. */
export class RunningServer {
  readonly port: number;
  readonly #process: Process;

  private constructor(process: Process, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start({ file }: Contender, { compress }: Scenario, node: string): Promise<RunningServer> {
    const started = new Process(node, `servers/${file}`, { compress });
    try {
      const { port } = (await started.message()) as { port: number };
      return new RunningServer(started, port);
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  /** What it has used so far. */
  async cpu(): Promise<Cpu> {
    return (await this.#process.ask({})) as Cpu;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

/** A client with its connections open. */
export class RunningClient {
  readonly #process: Process;

  private constructor(process: Process) {
    this.#process = process;
  }

  static async start(
    { file }: Contender,
    scenario: Scenario,
    port: number,
    node: string,
  ): Promise<RunningClient> {
    const { program, compress, connections } = scenario;
    const started = new Process(node, `clients/${file}`, { program, compress, connections, port });
    try {
      await started.message();
      return new RunningClient(started);
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  async run(seconds: number): Promise<Cost> {
    return (await this.#process.ask({ seconds }, seconds * 1_000 + patience)) as Cost;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
