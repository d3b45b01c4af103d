import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A program of ours that serves, in a process of its own, started the way `command` says. */
export class RunningExample {
  readonly #process: ChildProcess;
  /** Base URL without a slash at its end. */
  url = '';
  /** All that the program printed so far. */
  stdout = '';
  stderr = '';

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** Runs a TypeScript program of the project and waits until it says that it listens. */
  static start(program: string, ...args: string[]): Promise<RunningExample> {
    return RunningExample.#spawn(['--import', 'tsx', program, ...args]);
  }

  /** Runs one of `examples/` by the script that users start it with. */
  static startByScript(name: string, ...args: string[]): Promise<RunningExample> {
    return RunningExample.#spawn(['scripts/example.js', name, ...args]);
  }

  static async #spawn(args: string[]): Promise<RunningExample> {
    const child = spawn(process.execPath, [...args, '--host', '127.0.0.1', '--port', '0'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const example = new RunningExample(child);
    const deadline = setTimeout(() => child.kill('SIGKILL'), 120_000);
    try {
      for (;;) {
        const url = /listening.*?(http:\/\/[\w.]+:\d+)/.exec(example.stdout)?.[1];
        if (url !== undefined) {
          example.url = url;
          return example;
        }
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`the program ended before it listened\n${example.stdout}${example.stderr}`);
        }
        await Promise.race([once(child.stdout!, 'data'), once(child, 'close')]);
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  fetch(path: string, options?: RequestInit): Promise<Response> {
    return fetch(this.url + path, { signal: AbortSignal.timeout(60_000), ...options });
  }

  /** Ends the program without a chance to say anything. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  /** Ends the program as ctrl-C does, and returns its exit code. */
  async stop(): Promise<number | null> {
    const exited = once(this.#process, 'close');
    this.#process.kill('SIGINT');
    const deadline = setTimeout(() => this.#process.kill('SIGKILL'), 60_000);
    try {
      const [code] = await exited;
      return code as number | null;
    } finally {
      clearTimeout(deadline);
    }
  }
}
