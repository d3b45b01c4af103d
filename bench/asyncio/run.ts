// npm run bench -- asyncio [--rounds N] [--milliseconds N] [--node FILE] [--out DIR] [--check]
//
// What a task, a hand-over, a lock, a time limit and a cancellation cost: this package, plain promises, p-limit, p-queue,
// async-sema and Effect. CPU nanoseconds for each; every contender in a process of its own, rounds interleaved. Only ratios
// within one run mean anything.
//
// --node    measures on another Node
// --check   only sees that everything runs: one short round, nothing is written

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { figure, type Summary, summarize } from '../statistics.ts';
import { contenders, type ScenarioName, scenarioNames, type Work } from './contenders.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    out: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
    check: { type: 'boolean', default: false },
    contender: { type: 'string' },
  },
});
const rounds = Number(options.rounds ?? (options.check ? 1 : 5));
const milliseconds = Number(options.milliseconds ?? (options.check ? 5 : 150));
if (!(rounds >= 1 && milliseconds > 0)) throw new RangeError('--rounds and --milliseconds must be positive');

type Figures = Partial<Record<ScenarioName, number>>;

/** CPU nanoseconds for each. */
async function measure(work: Work): Promise<number> {
  const portion = 2_000;
  await work(options.check ? 1 : portion);
  const end = performance.now() + milliseconds;
  let count = 0;
  const start = process.cpuUsage();
  do {
    await work(portion);
    count += portion;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1_000) / count;
}

/** One contender, in this process: prints its figures as JSON. */
async function runContender(name: string): Promise<void> {
  const make = contenders[name];
  if (make === undefined) throw new RangeError(`no contender '${name}'`);
  const scenarios = await make();
  const figures: Figures = {};
  for (const scenario of scenarioNames) {
    const work = scenarios[scenario];
    if (work !== undefined) figures[scenario] = await measure(work);
  }
  console.log(JSON.stringify({ version: process.versions.node, figures }));
}

function inProcess(name: string): { version: string; figures: Figures } {
  const program = fileURLToPath(import.meta.url);
  const tsx = fileURLToPath(import.meta.resolve('tsx'));
  const times = ['--milliseconds', String(milliseconds), ...(options.check ? ['--check'] : [])];
  const child = spawnSync(
    options.node,
    ['--import', `file://${tsx}`, program, '--contender', name, ...times],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (child.status !== 0) throw new Error(`${name} ended with ${child.status ?? child.signal}`);
  return JSON.parse(child.stdout) as { version: string; figures: Figures };
}

function compareAll(): void {
  const collected: Partial<Record<ScenarioName, Record<string, number[]>>> = {};
  let version = '';
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(contenders)) {
      const result = inProcess(name);
      version = result.version;
      for (const scenario of scenarioNames) {
        const value = result.figures[scenario];
        if (value !== undefined) ((collected[scenario] ??= {})[name] ??= []).push(value);
      }
    }
  }
  const lines: { scenario: string; figures: Record<string, Summary | undefined> }[] = [];
  for (const scenario of scenarioNames) {
    console.log(`\n${scenario}`);
    const figures: Record<string, Summary | undefined> = {};
    for (const name of Object.keys(contenders)) {
      const values = collected[scenario]?.[name];
      figures[name] = values === undefined ? undefined : summarize(values);
      const ours = collected[scenario]?.['aiohttp-ts'];
      const shown =
        values === undefined || ours === undefined
          ? 'has no such thing'
          : `${figure(summarize(values).median).padStart(7)} ns  ${figure(summarize(ours).median / summarize(values).median)}`;
      console.log(`  ${name.padEnd(28)} ${shown}`);
    }
    lines.push({ scenario, figures });
  }
  console.log('\n(the last column: the cost of aiohttp-ts divided by that of the other)');
  if (options.check) return;
  const file = path.join(options.out, `asyncio-node${version.split('.')[0]}.json`);
  mkdirSync(options.out, { recursive: true });
  const command = `npm run bench -- asyncio --rounds ${rounds} --milliseconds ${milliseconds}`;
  writeFileSync(
    file,
    `${JSON.stringify({ machine: describeMachine(version), command, lines }, undefined, 2)}\n`,
  );
  console.log(`written: ${path.relative(process.cwd(), file)}`);
}

if (options.contender === undefined) compareAll();
else await runContender(options.contender);
