// npm run bench -- compression [--node PATH] [--rounds N] [--seconds S] [--check]
//
// CPU, of all threads, that a server needs for an answer of JSON in gzip or br. Rounds are interleaved, and only the ratios of one run count.

import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { positive } from '../effort.ts';
import { scenarios } from '../server/scenarios.ts';
import { type Contender, RunningServer } from '../server/servers.ts';
import { figure, summarize } from '../statistics.ts';

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});
const rounds = positive('rounds', options.rounds ?? (options.check ? '1' : '5'));
const seconds = positive('seconds', options.seconds ?? (options.check ? '0.1' : '2'));

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
      const line = [...samples].map(([name, values]) => {
        const { median, lowest, highest } = summarize(values);
        return `${name} ${figure(median)} (${figure(lowest)}–${figure(highest)})`;
      });
      console.log(`${coding}, ${size}, µs of CPU per answer: ${line.join('; ')}`);
    }
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()));
  }
}
