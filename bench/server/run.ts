// npm run bench -- server [--scenario NAME]… [--server NAME]… [--node PATH] [--rounds N] [--seconds S]
//                         [--generator wrk|own] [--out DIR] [--publish] [--check]
//
// --scenario   text, json, post, pipelined, tls, browser, idle or start; may be repeated (default: all)
// --server     a server's name, such as Fastify; may be repeated (default: all)
// --node       the Node that runs the servers (default: the one that runs the bench)
// --out        where server-nodeNN.json, .md and .svg are written (default: bench/results)
// --publish    writes to docs/bench, and the tables into docs/benchmarks.md and (Node 24) README.md
// --check      only sees that everything runs: one short round, nothing is written

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkPublishing, chosenNames, effortOf, effortOptions, versionOf } from '../effort.ts';
import { describeMachine } from '../machine.ts';
import { replaceIn } from '../publish.ts';
import { figure } from '../statistics.ts';
import { availableGenerator, type Generator } from './load.ts';
import { type Effort, measureCpu, measureIdle, measureStart, type Rounds } from './measure.ts';
import {
  chart,
  evaluate,
  fullTable,
  type Measurement,
  type Report,
  type Subject,
  shortTable,
} from './report.ts';
import { scenarios } from './scenarios.ts';
import { type Contender, contenders, runsOn } from './servers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    server: { type: 'string', multiple: true },
    generator: { type: 'string' },
    ...effortOptions,
  },
});

checkPublishing(options, options.server, 'servers');
const names = [...scenarios.map(({ name }) => name), 'idle', 'start'];
const chosen = chosenNames(options.scenario, names);
const effort: Effort = {
  node: options.node,
  ...effortOf(options),
  // wrk takes whole seconds only, so it would make the check slow.
  generator: generatorNamed(options.generator ?? (options.check ? 'own' : availableGenerator())),
  idleConnections: options.check ? 20 : 5_000,
};
const nodeVersion = versionOf(options.node);
const servers = contenders.filter(
  (contender) =>
    runsOn(contender, nodeVersion) &&
    (options.server === undefined || options.server.includes(contender.name)),
);
if (servers.length === 0) {
  throw new RangeError(`no server to measure; there are ${contenders.map(({ name }) => name).join(', ')}`);
}

const measurements: Measurement[] = [];
for (const scenario of scenarios) {
  await measured({ ...scenario, unit: 'µs' }, (all) => measureCpu(scenario, all, effort));
}
await measured({ name: 'idle', title: 'Idle connection', short: 'idle', unit: 'KB' }, (all) =>
  measureIdle(all, effort),
);
await measured({ name: 'start', title: 'Start to first answer', short: 'start', unit: 'ms' }, (all) =>
  measureStart(all, effort),
);

if (!options.check) write();

/** Measures, if this measurement was asked for, and prints what came out. */
async function measured(
  { name, title, short, unit }: Subject,
  measure: (servers: readonly Contender[]) => Promise<Rounds>,
): Promise<void> {
  if (!chosen.includes(name)) return;
  const among = servers.filter(({ scenarios: only }) => only === undefined || only.includes(name));
  if (among.length === 0) return;
  const measurement = evaluate({ name, title, short, unit }, await measure(among));
  measurements.push(measurement);
  console.log(`${title} (${unit}), Node ${nodeVersion}`);
  for (const { server, median, lowest, highest, user, ofFastify } of measurement.results) {
    const line = [
      `  ${server.padEnd(22)}${figure(median).padStart(7)}  (${figure(lowest)}–${figure(highest)})`,
      user === undefined ? '' : `user ${figure(user)}`,
      ofFastify === undefined ? '' : `${ofFastify.toFixed(2)} of Fastify`,
    ];
    console.log(line.filter((part) => part !== '').join('  '));
  }
}

function write(): void {
  const report: Report = {
    machine: describeMachine(nodeVersion),
    command: `npm run bench -- server --rounds ${effort.rounds} --seconds ${effort.seconds}`,
    generator: effort.generator,
    measurements,
  };
  const line = nodeVersion.split('.')[0];
  const folder = options.publish ? path.join(root, 'docs', 'bench') : options.out;
  const base = path.join(folder, `server-node${line}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${base}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(`${base}.svg`, chart(report));
  if (options.publish) {
    replaceIn('docs/benchmarks.md', `server-node${line}`, fullTable(report));
    if (line === '24') replaceIn('README.md', 'server', shortTable(report));
  } else writeFileSync(`${base}.md`, `${shortTable(report)}\n${fullTable(report)}`);
  console.log(`written: ${path.relative(process.cwd(), base)}.*`);
}

function generatorNamed(name: string): Generator {
  if (name === 'wrk' || name === 'own') return name;
  throw new RangeError(`--generator must be wrk or own, not '${name}'`);
}
