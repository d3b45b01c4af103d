// npm run bench -- websocket [--side server|client]… [--scenario NAME]… [--contender NAME]… [--node PATH] [--rounds N] [--seconds S]
//                            [--out DIR] [--publish] [--check]
//
// --side       which end is measured (default: both); the other one is a bare socket
// --scenario   text, one, binary or json; may be repeated (default: all)
// --contender  such as ws; may be repeated (default: all)
// --node       the Node that runs both ends (default: the one that runs the bench)
// --out        where websocket-nodeNN.json, .md and .svg are written (default: bench/results)
// --publish    writes to docs/bench, and the tables into docs/benchmarks.md
// --check      only sees that everything runs: one short round, nothing is written

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkPublishing, chosenNames, effortOf, effortOptions, versionOf } from '../effort.ts';
import { describeMachine } from '../machine.ts';
import { replaceIn } from '../publish.ts';
import { figure } from '../statistics.ts';
import { type Effort, measureCpu, type Side } from './measure.ts';
import { contenders } from './processes.ts';
import { chart, evaluate, type Measurement, type Report, tables } from './report.ts';
import { scenarios } from './scenarios.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const { values: options } = parseArgs({
  options: {
    side: { type: 'string', multiple: true },
    scenario: { type: 'string', multiple: true },
    contender: { type: 'string', multiple: true },
    ...effortOptions,
  },
});

checkPublishing(options, options.contender ?? options.side, 'contenders and sides');
const chosen = chosenNames(
  options.scenario,
  scenarios.map(({ name }) => name),
);
const sides = (options.side ?? ['server', 'client']).map(sideNamed);
const among = contenders.filter(
  ({ name }) => options.contender === undefined || options.contender.includes(name),
);
if (among.length === 0) {
  throw new RangeError(`nothing to measure; there are ${contenders.map(({ name }) => name).join(', ')}`);
}
const effort: Effort = { node: options.node, ...effortOf(options, '0.05') };
const nodeVersion = versionOf(options.node);

const measurements: Measurement[] = [];
for (const side of sides) {
  for (const scenario of scenarios) {
    if (!chosen.includes(scenario.name)) continue;
    const measurement = evaluate(side, scenario, await measureCpu(side, scenario, among, effort));
    measurements.push(measurement);
    console.log(`${side}: ${measurement.title} (µs), Node ${nodeVersion}`);
    for (const { contender, median, lowest, highest, user, ofWs } of measurement.results) {
      const line = [
        `  ${contender.padEnd(14)}${figure(median).padStart(7)}  (${figure(lowest)}–${figure(highest)})`,
        `user ${figure(user)}`,
        ofWs === undefined ? '' : `${ofWs.toFixed(2)} of ws`,
      ];
      console.log(line.filter((part) => part !== '').join('  '));
    }
  }
}

if (!options.check) write();

function write(): void {
  const report: Report = {
    machine: describeMachine(nodeVersion),
    command: `npm run bench -- websocket --rounds ${effort.rounds} --seconds ${effort.seconds}`,
    measurements,
  };
  const line = nodeVersion.split('.')[0];
  const folder = options.publish ? path.join(root, 'docs', 'bench') : options.out;
  const base = path.join(folder, `websocket-node${line}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${base}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(`${base}.svg`, chart(report));
  if (options.publish) replaceIn('docs/benchmarks.md', `websocket-node${line}`, tables(report));
  else writeFileSync(`${base}.md`, tables(report));
  console.log(`written: ${path.relative(process.cwd(), base)}.*`);
}

function sideNamed(name: string): Side {
  if (name === 'server' || name === 'client') return name;
  throw new RangeError(`--side must be server or client, not '${name}'`);
}
