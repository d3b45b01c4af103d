// npm run bench -- compression [--node PATH] [--rounds N] [--seconds S] [--publish] [--check]
//
// CPU, of all threads, that a server needs for an answer of JSON in gzip or br. Rounds are interleaved, and only the ratios of one run count.
//
// --publish  writes the table into docs/benchmarks.md
// --check    only sees that everything runs: one short round

import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { effortOf, versionOf } from '../effort.ts';
import { describeMachine } from '../machine.ts';
import { replaceIn } from '../publish.ts';
import { scenarios } from '../server/scenarios.ts';
import { type Contender, RunningServer } from '../server/servers.ts';
import { figure, type Summary, summarize } from '../statistics.ts';

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    publish: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
if (options.publish && options.check) throw new RangeError('--publish needs rounds at full length');
const { rounds, seconds } = effortOf(options);

const files = { 'aiohttp-ts': 'aiohttp-ts.mjs', '@fastify/compress': 'fastify-compress.mjs' };
const codings = ['gzip', 'br'] as const;
const sizes = ['2KB', '20KB', '200KB'] as const;
const connections = 8;

function ask(port: number, size: string, coding: string, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path: `/${size}`,
        headers: { 'Accept-Encoding': coding },
        agent,
        timeout: 20_000,
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => {
          if (response.headers['content-encoding'] === coding) resolve(Buffer.concat(pieces));
          else reject(new Error(`the answer is not in ${coding}`));
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 20 s')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** Microseconds of CPU per answer. */
async function measure(server: RunningServer, size: string, coding: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  try {
    await ask(server.port, size, coding, agent);
    const before = await server.cpu();
    const end = performance.now() + seconds * 1000;
    let answers = 0;
    const client = async (): Promise<void> => {
      do {
        await ask(server.port, size, coding, agent);
        answers++;
      } while (performance.now() < end);
    };
    await Promise.all(Array.from({ length: connections }, client));
    const after = await server.cpu();
    return (after.user - before.user + after.system - before.system) / answers;
  } finally {
    agent.destroy();
  }
}

/** A server that answers something else would be compared for nothing. */
async function checkAnswers(servers: readonly RunningServer[], size: string, coding: string): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const decode = coding === 'gzip' ? gunzipSync : brotliDecompressSync;
  const bodies = await Promise.all(
    servers.map(async ({ port }) => decode(await ask(port, size, coding, agent)).toString()),
  );
  agent.destroy();
  if (new Set(bodies).size !== 1) throw new Error(`the servers answer ${size} differently`);
}

/** By `coding, size`, then by server. */
const results = new Map<string, Map<string, Summary>>();

function shown({ median, lowest, highest }: Summary): string {
  return `${figure(median)} (${figure(lowest)}–${figure(highest)})`;
}

function tableOf(): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = Object.keys(files).map((name) => {
    const cells = [...results.values()].map((result) => shown(result.get(name)!));
    return line([name === 'aiohttp-ts' ? `**${name}**` : name, ...cells]);
  });
  return [
    line(['', ...[...results.keys()].map((title) => `${title}, µs`)]),
    line(['---', ...[...results.keys()].map(() => '---:')]),
    ...rows,
  ].join('\n');
}

function publish(): void {
  const version = versionOf(options.node);
  const { cores, cpu, platform, date } = describeMachine(version);
  const note = `Median (lowest–highest) of interleaved rounds. Node ${version} on ${cores} × ${cpu}, ${platform}, ${date}. Measure again: \`npm run bench -- compression --rounds ${rounds} --seconds ${seconds}\`.`;
  replaceIn('docs/benchmarks.md', 'compression', `${tableOf()}\n\n${note}\n`);
}

for (const coding of codings) {
  const running = new Map<string, RunningServer>();
  try {
    for (const [name, file] of Object.entries(files)) {
      const contender: Contender = { name, file: `../../compression/servers/${file}`, variant: coding };
      running.set(name, await RunningServer.start(contender, scenarios[0]!, options.node));
    }
    for (const size of sizes) {
      await checkAnswers([...running.values()], size, coding);
      const samples = new Map<string, number[]>([...running.keys()].map((name) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        const turns = round % 2 === 0 ? [...running] : [...running].reverse();
        for (const [name, server] of turns) samples.get(name)!.push(await measure(server, size, coding));
      }
      const result = new Map([...samples].map(([name, values]) => [name, summarize(values)]));
      results.set(`${coding}, ${size}`, result);
      const line = [...result].map(([name, summary]) => `${name} ${shown(summary)}`);
      console.log(`${coding}, ${size}, µs of CPU per answer: ${line.join('; ')}`);
    }
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()));
  }
}
if (options.publish) publish();
