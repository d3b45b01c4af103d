// The clients that are compared, and the processes of a measurement: one that is asked and one for each client.

import { MeasuredProcess } from '../measured-process.ts';
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

/** The server that is asked. */
export class Origin {
  readonly port: number;
  readonly #process: MeasuredProcess;

  private constructor(process: MeasuredProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(node: string): Promise<Origin> {
    const started = new MeasuredProcess('the origin', node, new URL('origin.mjs', import.meta.url), {});
    const { port } = (await started.ready()) as { port: number };
    return new Origin(started, port);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

/** A client that repeats one scenario. */
export class RunningClient {
  readonly #process: MeasuredProcess;

  private constructor(process: MeasuredProcess) {
    this.#process = process;
  }

  static async start(
    { name, file, variant }: Contender,
    scenario: Scenario,
    port: number,
    node: string,
  ): Promise<RunningClient> {
    const { program, concurrency } = scenario;
    const what = `${name}, scenario '${scenario.name}',`;
    const task = { program, concurrency, port, origin: `http://127.0.0.1:${port}`, variant };
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
