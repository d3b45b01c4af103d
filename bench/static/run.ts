// npm run bench -- static [--scenario NAME]… [--server NAME]… [--node PATH] [--rounds N] [--seconds S] [--out DIR]
//                         [--publish] [--check]
//
// CPU of a server of files: per request for small files, per megabyte for a large one. Rounds are interleaved, and only the ratios of one run
// count. nginx is compared where it is installed.
//
// --scenario   1KB, 64KB or 100MB; may be repeated (default: all)
// --publish    writes the table into docs/benchmarks.md
// --check      only sees that everything runs: one short round, a smaller large file, nothing is written

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkPublishing, effortOf, effortOptions, versionOf } from '../effort.ts';
import { describeMachine } from '../machine.ts';
import { replaceIn } from '../publish.ts';
import { figure, type Summary, summarize } from '../statistics.ts';
import { contenders, type FileServer } from './servers.ts';

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    server: { type: 'string', multiple: true },
    ...effortOptions,
  },
});
checkPublishing(options, options.server, 'servers');
const { rounds, seconds } = effortOf(options);

interface Scenario {
  readonly name: string;
  readonly size: number;
  readonly connections: number;
  /** What the CPU is counted by. */
  readonly unit: 'request' | 'MB';
}

const scenarios: readonly Scenario[] = [
  { name: '1KB', size: 1_024, connections: 32, unit: 'request' },
  { name: '64KB', size: 65_536, connections: 32, unit: 'request' },
  { name: '100MB', size: options.check ? 4_194_304 : 104_857_600, connections: 4, unit: 'MB' },
];

const chosen = scenarios.filter(({ name }) => options.scenario?.includes(name) ?? true);
const servers = contenders.filter(({ name }) => options.server?.includes(name) ?? true);
if (chosen.length === 0 || servers.length === 0) {
  throw new RangeError(
    `There are the scenarios ${scenarios.map(({ name }) => name).join(', ')} and the servers ${contenders.map(({ name }) => name).join(', ')}`,
  );
}

/** Whole answers within a time. */
async function applyLoad(scenario: Scenario, port: number, time: number): Promise<number> {
  const generator = fork(fileURLToPath(new URL('load-generator.mjs', import.meta.url)), { execArgv: [] });
  try {
    const message = once(generator, 'message', { signal: AbortSignal.timeout(time * 1_000 + 60_000) });
    const { name, size, connections } = scenario;
    generator.send({ port, path: `/${name}.bin`, size, connections, milliseconds: time * 1_000 });
    const [{ answers }] = (await message) as [{ answers: number }];
    return answers;
  } finally {
    generator.kill('SIGKILL');
  }
}

/** Microseconds of CPU per request or megabyte, by server, one for each round. */
async function measure(scenario: Scenario, directory: string): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>(servers.map(({ name }) => [name, []]));
  const running = new Map<string, FileServer>();
  try {
    for (const { name, start } of servers) {
      const server = await start(directory, options.node);
      running.set(name, server);
      await applyLoad(scenario, server.port, Math.min(1, seconds));
    }
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < servers.length; turn++) {
        const { name } = servers[(turn + round) % servers.length]!;
        const server = running.get(name)!;
        const before = await server.cpu();
        const answers = await applyLoad(scenario, server.port, seconds);
        const used = (await server.cpu()) - before;
        const units = scenario.unit === 'request' ? answers : (answers * scenario.size) / 1_048_576;
        figures.get(name)!.push(used / units);
      }
    }
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()));
  }
  return figures;
}

interface Result {
  readonly scenario: Scenario;
  readonly lines: readonly { readonly server: string; readonly microseconds: Summary }[];
}

function print({ scenario, lines }: Result): void {
  console.log(`${scenario.name}: µs of the server's CPU per ${scenario.unit}`);
  const own = lines.find(({ server }) => server === 'aiohttp-ts')?.microseconds.median;
  for (const { server, microseconds } of lines) {
    const { median, lowest, highest } = microseconds;
    const ratio =
      own === undefined || server === 'aiohttp-ts' || median === 0
        ? ''
        : `: aiohttp-ts takes ${figure(own / median)} of it`;
    console.log(`  ${server.padEnd(18)} ${figure(median)} (${figure(lowest)} to ${figure(highest)})${ratio}`);
  }
}

function tableOf(report: readonly Result[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const header = ['', ...report.map(({ scenario }) => `${scenario.name}, µs a ${scenario.unit}`)];
  const rows = servers.map(({ name }) => {
    const cells = report.map(({ lines }) => {
      const { median, lowest, highest } = lines.find(({ server }) => server === name)!.microseconds;
      return `${figure(median)} (${figure(lowest)}–${figure(highest)})`;
    });
    return line([name === 'aiohttp-ts' ? `**${name}**` : name, ...cells]);
  });
  return [line(header), line(header.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows].join('\n');
}

function write(report: readonly Result[]): void {
  const version = versionOf(options.node);
  const machine = describeMachine(version);
  const command = `npm run bench -- static --rounds ${rounds} --seconds ${seconds}`;
  if (options.publish) {
    const { cores, cpu, platform, date } = machine;
    const note = `Median (lowest–highest) of interleaved rounds. Node ${version} on ${cores} × ${cpu}, ${platform}, ${date}. Measure again: \`${command}\`.`;
    replaceIn('docs/benchmarks.md', 'static', `${tableOf(report)}\n\n${note}\n`);
    return;
  }
  const file = path.join(options.out, `static-node${version.split('.')[0]}.json`);
  mkdirSync(options.out, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ machine, command, report }, undefined, 2)}\n`);
  console.log(`written: ${path.relative(process.cwd(), file)}`);
}

const home = mkdtempSync(path.join(tmpdir(), 'aio-bench-static-'));
try {
  const directory = path.join(home, 'root');
  mkdirSync(directory);
  const report: Result[] = [];
  for (const scenario of chosen) {
    writeFileSync(path.join(directory, `${scenario.name}.bin`), Buffer.alloc(scenario.size, 'static file '));
    const lines = [...(await measure(scenario, directory))].map(([server, values]) => ({
      server,
      microseconds: summarize(values),
    }));
    const result = { scenario, lines };
    print(result);
    report.push(result);
  }
  if (!options.check) write(report);
} finally {
  rmSync(home, { recursive: true, force: true });
}
