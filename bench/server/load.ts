// Load on one server for a while: by wrk where it is installed, else by a generator of our own. Both keep 64 connections
// busy; the server's CPU time per answer is what counts, not how many answers fit into the time.

import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { requestBytes, type Scenario } from './scenarios.ts';

export type Generator = 'wrk' | 'own';

const connections = 64;

/** `wrk` where the machine has it. */
export function availableGenerator(): Generator {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.some((folder) => folder !== '' && existsSync(path.join(folder, 'wrk'))) ? 'wrk' : 'own';
}

/**
 * Repeats the scenario's request for `seconds` and returns the number of answers.
 * @throws Error when an answer was not 200 or a connection broke
 */
export async function applyLoad(
  generator: Generator,
  scenario: Scenario,
  port: number,
  seconds: number,
): Promise<number> {
  const { answers, failures } =
    generator === 'wrk' ? await runWrk(scenario, port, seconds) : await runOwn(scenario, port, seconds);
  if (failures > 0 || answers === 0) {
    throw new Error(`'${scenario.name}': ${failures} of ${answers + failures} requests failed`);
  }
  return answers;
}

interface Counts {
  readonly answers: number;
  readonly failures: number;
}

async function runOwn(scenario: Scenario, port: number, seconds: number): Promise<Counts> {
  const generator = fork(fileURLToPath(new URL('load-generator.mjs', import.meta.url)), { execArgv: [] });
  try {
    const answered = once(generator, 'message', { signal: AbortSignal.timeout(seconds * 1_000 + 15_000) });
    generator.send({
      port,
      tls: scenario.tls,
      request: requestBytes(scenario, port).toString('base64'),
      connections,
      pipeline: scenario.pipeline,
      milliseconds: seconds * 1_000,
    });
    const [counts] = await answered;
    return counts as Counts;
  } finally {
    generator.kill();
  }
}

/** wrk takes whole seconds only. */
async function runWrk(scenario: Scenario, port: number, seconds: number): Promise<Counts> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'aiohttp-ts-bench-'));
  try {
    const script = path.join(folder, 'scenario.lua');
    writeFileSync(script, wrkScript(scenario));
    const duration = Math.max(1, Math.round(seconds));
    const { stdout } = await promisify(execFile)(
      'wrk',
      [
        '--threads=1',
        `--connections=${connections}`,
        `--duration=${duration}s`,
        '--timeout=10s',
        `--script=${script}`,
        `${scenario.tls ? 'https' : 'http'}://127.0.0.1:${port}${scenario.path}`,
      ],
      { timeout: duration * 1_000 + 15_000 },
    );
    return readWrk(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function wrkScript(scenario: Scenario): string {
  const lines = [`wrk.method = ${lua(scenario.method)}`];
  for (const [name, value] of Object.entries(scenario.headers)) {
    lines.push(`wrk.headers[${lua(name)}] = ${lua(value)}`);
  }
  if (scenario.body !== undefined) lines.push(`wrk.body = ${lua(scenario.body)}`);
  if (scenario.pipeline > 1) {
    lines.push(
      'local batch',
      `init = function() batch = string.rep(wrk.format(), ${scenario.pipeline}) end`,
      'request = function() return batch end',
    );
  }
  return `${lines.join('\n')}\n`;
}

function lua(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function readWrk(output: string): Counts {
  const requests = /(\d+) requests in/.exec(output)?.[1];
  if (requests === undefined) throw new Error(`wrk said something unexpected:\n${output}`);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0);
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  const failures =
    refused + (broken === null ? 0 : broken.slice(1).reduce((sum, count) => sum + Number(count), 0));
  return { answers: Number(requests) - refused, failures };
}
