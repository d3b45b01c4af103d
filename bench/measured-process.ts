// A process of a measurement: it gets its task when it starts, and answers questions.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process that starts must be ready within this time, and an answer may take as long, in milliseconds. */
const PATIENCE = 30_000;

export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #what: string;

  /**
   * @param what names it in errors
   * @param flags of Node
   */
  constructor(what: string, node: string, program: URL, task: object, flags: readonly string[] = []) {
    this.#what = what;
    const args = [...flags, '--no-warnings', fileURLToPath(program), JSON.stringify(task)];
    this.#child = spawn(node, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
  }

  /** What it says first, which means that it is ready. It is ended when that fails. */
  async ready(): Promise<unknown> {
    try {
      return await this.#message(PATIENCE);
    } catch (cause) {
      await this.stop();
      throw new Error(`${this.#what} did not start`, { cause });
    }
  }

  /** Its answer. @param busy milliseconds that it works on it */
  async ask(question: object | string, busy = 0): Promise<unknown> {
    const answered = this.#message(busy + PATIENCE);
    this.#child.send(question);
    try {
      return await answered;
    } catch (cause) {
      throw new Error(`${this.#what} did not answer`, { cause });
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async #message(milliseconds: number): Promise<unknown> {
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
}
