// npm run bench -- client [--scenario NAME]… [--client NAME]… [--node PATH] [--rounds N] [--seconds S]
//                         [--out DIR] [--publish] [--check]
//
// --scenario   get, one, post, down or up; may be repeated (default: all)
// --client     a client's name, such as undici; may be repeated (default: all)
// --node       the Node that runs clients and server (default: the one that runs the bench)
// --out        where client-nodeNN.json, .md and .svg are written (default: bench/results)
// --publish    writes to docs/bench, and the table into docs/benchmarks.md
// --check      only sees that everything runs: one short round, nothing is written

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkPublishing, chosenNames, effortOf, effortOptions, versionOf } from '../effort.ts';
import { describeMachine } from '../machine.ts';
import { replaceIn } from '../publish.ts';
import { figure } from '../statistics.ts';
import { contenders } from './clients.ts';
import { type Effort, measureCpu } from './measure.ts';
import { chart, evaluate, type Measurement, type Report, table } from './report.ts';
import { scenarios } from './scenarios.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    client: { type: 'string', multiple: true },
    ...effortOptions,
  },
});

checkPublishing(options, options.client, 'clients');
const names = scenarios.map(({ name }) => name);
const chosen = chosenNames(options.scenario, names);
const effort: Effort = {
  node: options.node,
  ...effortOf(options, '0.05'),
};
const clients = contenders.filter(
  ({ name }) => options.client === undefined || options.client.includes(name),
);
if (clients.length === 0) {
  throw new RangeError(`no client to measure; there are ${contenders.map(({ name }) => name).join(', ')}`);
}
const nodeVersion = versionOf(options.node);

const measurements: Measurement[] = [];
for (const scenario of scenarios) {
  if (!chosen.includes(scenario.name)) continue;
  const fitting = clients.filter((client) => client.scenarios?.includes(scenario.name) ?? true);
  const measurement = evaluate(scenario, await measureCpu(scenario, fitting, effort));
  measurements.push(measurement);
  console.log(`${measurement.title} (${measurement.unit}), Node ${nodeVersion}`);
  for (const { client, median, lowest, highest, user, ofUndici } of measurement.results) {
    const line = [
      `  ${client.padEnd(36)}${figure(median).padStart(7)}  (${figure(lowest)}–${figure(highest)})`,
      `user ${figure(user)}`,
      ofUndici === undefined ? '' : `${ofUndici.toFixed(2)} of undici`,
    ];
    console.log(line.filter((part) => part !== '').join('  '));
  }
}

if (!options.check) write();

function write(): void {
  const report: Report = {
    machine: describeMachine(nodeVersion),
    command: `npm run bench -- client --rounds ${effort.rounds} --seconds ${effort.seconds}`,
    measurements,
  };
  const line = nodeVersion.split('.')[0];
  const folder = options.publish ? path.join(root, 'docs', 'bench') : options.out;
  const base = path.join(folder, `client-node${line}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${base}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(`${base}.svg`, chart(report));
  if (options.publish) replaceIn('docs/benchmarks.md', `client-node${line}`, table(report));
  else writeFileSync(`${base}.md`, table(report));
  console.log(`written: ${path.relative(process.cwd(), base)}.*`);
}
