// npm run bench -- session [--rounds N] [--milliseconds N] [--out DIR] [--publish] [--check]
//
// CPU of the server for a request that reads its session, and for one that changes it, with the store in memory, in Redis, and in the cookie. 32 visitors, each with
// a session of about 230 bytes. Rounds are interleaved, and only the ratios of one run count. The others lose changes when two requests meet; here they never do.
//
// --publish  writes the table into docs/benchmarks.md
// --check    only sees that all servers answer: one short round, nothing is written

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { replaceIn } from '../publish.ts';
import { figure, type Summary, summarize } from '../statistics.ts';
import { beginSessions, visit } from './load.ts';
import { startRedis } from './redis.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
    publish: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.check ? 1 : 7));
const milliseconds = Number(options.milliseconds ?? (options.check ? 20 : 1000));
if (!(rounds >= 1 && milliseconds > 0)) throw new RangeError('--rounds and --milliseconds must be positive');
if (options.publish && options.check) throw new RangeError('--publish needs rounds at full length');

type Store = 'memory' | 'redis' | 'cookie';

const contenders: Readonly<Record<Store, Readonly<Record<string, string>>>> = {
  memory: { 'aiohttp-ts': 'aiohttp-ts', '@fastify/session': 'fastify', 'express-session': 'express' },
  redis: { 'aiohttp-ts': 'aiohttp-ts', '@fastify/session': 'fastify', 'express-session': 'express' },
  cookie: { 'aiohttp-ts': 'aiohttp-ts', 'iron-session': 'iron-session' },
};

class Server {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(file: string, store: Store, redisUrl: string | undefined): Promise<Server> {
    const program = fileURLToPath(new URL(`servers/${file}.mjs`, import.meta.url));
    const child = spawn(process.execPath, ['--no-warnings', program, JSON.stringify({ store, redisUrl })], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const [message] = await once(child, 'message', { signal: AbortSignal.timeout(30_000) });
    return new Server(child, (message as { port: number }).port);
  }

  /** Microseconds that the process has used so far. */
  async cpu(): Promise<number> {
    const answered = once(this.#child, 'message', { signal: AbortSignal.timeout(30_000) });
    this.#child.send('cpu');
    const [{ user, system }] = (await answered) as [NodeJS.CpuUsage];
    return user + system;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

interface Line {
  readonly store: Store;
  readonly what: string;
  readonly contender: string;
  readonly microseconds: Summary;
}

async function measureStore(store: Store, redisUrl: string | undefined): Promise<Line[]> {
  const names = Object.keys(contenders[store]);
  const servers: Server[] = [];
  try {
    for (const name of names) servers.push(await Server.start(contenders[store][name]!, store, redisUrl));
    const cookies = await Promise.all(servers.map(({ port }) => beginSessions(port)));
    const lines: Line[] = [];
    for (const what of ['read', 'write']) {
      const samples = names.map((): number[] => []);
      // The first round compiles.
      for (let round = options.check ? 0 : -1; round < rounds; round++) {
        for (let turn = 0; turn < names.length; turn++) {
          const index = (turn + Math.max(round, 0)) % names.length;
          const server = servers[index]!;
          const before = await server.cpu();
          const answers = await visit(server.port, `/${what}`, cookies[index]!, milliseconds);
          if (round >= 0) samples[index]!.push(((await server.cpu()) - before) / answers);
        }
      }
      names.forEach((contender, index) => {
        lines.push({ store, what, contender, microseconds: summarize(samples[index]!) });
      });
    }
    return lines;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** A row for each store and request: what each of them takes, and our part of it. */
function tableOf(lines: readonly Line[]): string {
  const names = [...new Set(lines.map(({ contender }) => contender))];
  const rows: string[][] = [['µs of CPU a request', ...names], names.map(() => '---').concat('---')];
  for (const { store, what, contender, microseconds: own } of lines) {
    if (contender !== 'aiohttp-ts') continue;
    const cells = names.map((name) => {
      const line = lines.find((one) => one.store === store && one.what === what && one.contender === name);
      if (line === undefined) return '';
      const { median, lowest, highest } = line.microseconds;
      const times = name === contender ? '' : `, ${figure(median / own.median)} ×`;
      return `${figure(median)} (${figure(lowest)}–${figure(highest)})${times}`;
    });
    rows.push([`${what === 'read' ? 'read' : 'changed'}, ${places[store]}`, ...cells]);
  }
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const places: Readonly<Record<Store, string>> = {
  memory: 'in memory',
  redis: 'in Redis',
  cookie: 'in its cookie',
};

const redis = await startRedis();
if (redis === undefined) console.log('redis-server is not installed: its store is left out');
const lines: Line[] = [];
try {
  for (const store of ['memory', 'redis', 'cookie'] as const) {
    if (store !== 'redis' || redis !== undefined) lines.push(...(await measureStore(store, redis?.url)));
  }
} finally {
  await redis?.stop();
}

for (const { store, what, contender, microseconds } of lines) {
  const own = lines.find(
    (line) => line.store === store && line.what === what && line.contender === 'aiohttp-ts',
  )!;
  const { median, lowest, highest } = microseconds;
  const spread = `${figure(lowest)} to ${figure(highest)}`;
  const ratio =
    contender === 'aiohttp-ts' ? '' : `: we take ${figure(own.microseconds.median / median)} of it`;
  console.log(
    `${store.padEnd(7)} ${what.padEnd(6)} ${contender.padEnd(17)} ${figure(median)} µs of CPU a request (${spread})${ratio}`,
  );
}

if (!options.check) {
  const version = process.versions.node;
  const machine = describeMachine(version);
  const command = `npm run bench -- session --rounds ${rounds} --milliseconds ${milliseconds}`;
  if (options.publish) {
    const { cores, cpu, platform, date } = machine;
    const note = `Median (lowest–highest) of interleaved rounds. Node ${version} on ${cores} × ${cpu}, ${platform}, ${date}. Measure again: \`${command}\`.`;
    replaceIn('docs/benchmarks.md', 'session', `${tableOf(lines)}\n\n${note}\n`);
  } else {
    const file = path.join(options.out, `session-node${version.split('.')[0]}.json`);
    mkdirSync(options.out, { recursive: true });
    writeFileSync(file, `${JSON.stringify({ machine, command, lines }, undefined, 2)}\n`);
    console.log(`written: ${path.relative(process.cwd(), file)}`);
  }
}
