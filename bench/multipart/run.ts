// npm run bench -- multipart [--rounds N] [--node PATH] [--out DIR] [--publish] [--check]
//
// CPU of servers that read forms, against busboy on node:http and @fastify/multipart: 1,000 small fields, a file of 256 MB that is counted as it comes,
// the same file kept on disk, and how much memory a file of 1 GB takes. Rounds are interleaved, and only the ratios of one run count.
//
// --node     the Node that runs the servers (default: the one that runs the bench)
// --publish  writes the table into docs/benchmarks.md
// --check    only sees that everything runs: one round of small bodies, nothing is written

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { positive, versionOf } from '../effort.ts';
import { describeMachine } from '../machine.ts';
import { replaceIn } from '../publish.ts';
import { figure, type Summary, summarize } from '../statistics.ts';
import { type Body, oneFile, send, smallFields } from './forms.ts';
import { contenders, ServerProcess } from './server-process.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    out: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
    publish: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const rounds = positive('rounds', options.rounds ?? (options.check ? '1' : '5'));
const MB = 1_000_000;
const fields = options.check ? 20 : 1_000;
const fileSize = options.check ? 2 * MB : 256 * MB;
const hugeSize = options.check ? 4 * MB : 1_000 * MB;

interface Scenario {
  readonly title: string;
  readonly path: string;
  readonly body: Body;
  /** How often the body is sent in a round. */
  readonly times: number;
  readonly unit: string;
  /** Microseconds of CPU of one body, in `unit`. */
  scaled(microseconds: number): number;
  readonly expected: string;
}

const perGigabyte = (microseconds: number): number => (microseconds / 1_000) * ((1_000 * MB) / fileSize);
const scenarios: readonly Scenario[] = [
  {
    title: '1,000 small fields',
    path: '/fields',
    body: smallFields(fields),
    times: options.check ? 2 : 300,
    unit: 'ms a form',
    scaled: (microseconds) => microseconds / 1_000,
    expected: String(fields),
  },
  {
    title: '256 MB file, counted',
    path: '/stream',
    body: oneFile(fileSize),
    times: 1,
    unit: 'ms of CPU a GB',
    scaled: perGigabyte,
    expected: String(fileSize),
  },
  {
    title: '256 MB file, kept on disk',
    path: '/disk',
    body: oneFile(fileSize),
    times: 1,
    unit: 'ms of CPU a GB',
    scaled: perGigabyte,
    expected: String(fileSize),
  },
];

const servers = new Map<string, ServerProcess>();
const results = new Map<string, Map<string, Summary>>();
const memory = new Map<string, number>();
try {
  for (const contender of contenders) {
    servers.set(contender.name, await ServerProcess.start(contender, options.node));
  }
  for (const scenario of scenarios) results.set(scenario.title, await measured(scenario));
  for (const [name, server] of servers) memory.set(name, await growth(server));
} finally {
  await Promise.all([...servers.values()].map((server) => server.stop()));
}

const nodeVersion = versionOf(options.node);
const table = tableOf();
console.log(table);
if (!options.check) write();

async function measured(scenario: Scenario): Promise<Map<string, Summary>> {
  const samples = new Map<string, number[]>([...servers.keys()].map((name) => [name, []]));
  // The first round compiles.
  for (let round = options.check ? 0 : -1; round < rounds; round++) {
    for (const [name, server] of servers) {
      const before = await server.cpu();
      for (let turn = 0; turn < scenario.times; turn++) {
        const answer = await send(server.port, scenario.path, scenario.body);
        if (answer !== scenario.expected)
          throw new Error(`${name} answers ${answer} to ${scenario.path}, not ${scenario.expected}`);
      }
      const used = (await server.cpu()) - before;
      if (round >= 0) samples.get(name)!.push(scenario.scaled(used / scenario.times));
    }
  }
  return new Map([...samples].map(([name, values]) => [name, summarize(values)]));
}

/** Most bytes of memory beyond what the server has while it reads nothing. */
async function growth(server: ServerProcess): Promise<number> {
  const before = await server.memory();
  let most = 0;
  let done = false;
  const sending = send(server.port, '/stream', oneFile(hugeSize)).finally(() => {
    done = true;
  });
  while (!done) {
    most = Math.max(most, (await server.memory()) - before);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await sending;
  return most;
}

function tableOf(): string {
  const own = contenders[0]!.name;
  const header = [
    '',
    ...scenarios.map(({ title, unit }) => `${title}, ${unit}`),
    '1 GB file, MB of memory more',
  ];
  const rows = contenders.map(({ name }) => {
    const cells = scenarios.map(({ title }) => {
      const result = results.get(title)!;
      const { median, lowest, highest } = result.get(name)!;
      const ratio = name === own ? '' : `, ${figure(median / result.get(own)!.median)}×`;
      return `${figure(median)} (${figure(lowest)}–${figure(highest)})${ratio}`;
    });
    return [name === own ? `**${name}**` : name, ...cells, figure(memory.get(name)! / MB)];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(header),
    line(header.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...rows.map(line),
  ].join('\n');
}

function write(): void {
  const { cores, cpu, platform, date } = describeMachine(nodeVersion);
  const note = `Median (lowest–highest) of interleaved rounds. Node ${nodeVersion} on ${cores} × ${cpu}, ${platform}, ${date}. Measure again: \`npm run bench -- multipart --rounds ${rounds}\`.`;
  const text = `${table}\n\n${note}\n`;
  if (options.publish) replaceIn('docs/benchmarks.md', 'multipart', text);
  else {
    mkdirSync(options.out, { recursive: true });
    writeFileSync(path.join(options.out, 'multipart.md'), text);
  }
}
