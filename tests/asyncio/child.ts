import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const asyncio = new URL('../../src/asyncio/index.ts', import.meta.url).href;

/** How a child process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program, with `asyncio` imported, in a process of its own. Each time that a line of its output is one of the keys of `on`,
 * that signal is sent to it.
 */
export async function runProgram(
  program: string,
  on: Readonly<Record<string, NodeJS.Signals>> = {},
  flags: readonly string[] = [],
): Promise<Ended> {
  const source = `import * as asyncio from ${JSON.stringify(asyncio)};\n${program}`;
  const child = spawn(process.execPath, [...flags, '--import', 'tsx', '--input-type=module', '-e', source], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    const lines = stdout.split('\n').slice(0, -1);
    for (; seen < lines.length; seen++) {
      const signal = on[lines[seen]!];
      if (signal !== undefined) child.kill(signal);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}
