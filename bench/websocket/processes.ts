// What is compared, and the processes of a measurement: a server, and the client that talks to it.

import { MeasuredProcess } from '../measured-process.ts';
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

/** An echo server. */
export class RunningServer {
  readonly port: number;
  readonly #process: MeasuredProcess;

  private constructor(process: MeasuredProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start({ name, file }: Contender, scenario: Scenario, node: string): Promise<RunningServer> {
    const { compress } = scenario;
    const what = `the server of ${name}, scenario '${scenario.name}',`;
    const program = new URL(`servers/${file}`, import.meta.url);
    const started = new MeasuredProcess(what, node, program, { compress });
    const { port } = (await started.ready()) as { port: number };
    return new RunningServer(started, port);
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
  readonly #process: MeasuredProcess;

  private constructor(process: MeasuredProcess) {
    this.#process = process;
  }

  static async start(
    { name, file }: Contender,
    scenario: Scenario,
    port: number,
    node: string,
  ): Promise<RunningClient> {
    const { program, compress, connections } = scenario;
    const what = `the client of ${name}, scenario '${scenario.name}',`;
    const task = { program, compress, connections, port };
    const started = new MeasuredProcess(what, node, new URL(`clients/${file}`, import.meta.url), task);
    await started.ready();
    return new RunningClient(started);
  }

  async run(seconds: number): Promise<Cost> {
    return (await this.#process.ask({ seconds }, seconds * 1_000)) as Cost;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
