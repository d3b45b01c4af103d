// npm run bench -- sqlite [--rounds N] [--milliseconds N] [--check] [--publish]
//
// CPU (of all threads) and rate of small statements on a file in WAL mode: ours on the main thread and in threads, the same driver called directly,
// better-sqlite3 (Node 22 and later), and sqlite3 where it is installed. Then how long the event loop stands still while another process holds the lock.
// Rounds are interleaved, and only the ratios of one run count.
//
// --check     one very short round: only sees that everything runs
// --publish   writes the figures into docs/sqlite.md

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as sqlite from 'aiohttp-ts/sqlite';
import { describeMachine } from '../machine.ts';
import { replaceIn } from '../publish.ts';
import { figure, median } from '../statistics.ts';
import { type Contender, contenders, driver, ROWS, SCHEMA } from './contenders.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    check: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.check ? 1 : 7));
const milliseconds = Number(options.milliseconds ?? (options.check ? 5 : 150));
if (!(rounds >= 1 && milliseconds > 0)) throw new RangeError('--rounds and --milliseconds must be positive');

const folder = mkdtempSync(path.join(tmpdir(), 'aiohttp-bench-sqlite-'));

/** Does some work `count` times, and waits for all of it. */
type Work = (contender: Contender, turn: number) => unknown;

const works: readonly (readonly [string, number, Work])[] = [
  ['get by key', 1, (contender, turn) => contender.get((turn % ROWS) + 1)],
  ['50 rows', 1, (contender) => contender.page()],
  ['insert', 1, (contender, turn) => contender.insert(`t${turn}`)],
  ['64 gets at once', 64, (contender, turn) => contender.get((turn % ROWS) + 1)],
  ['64 inserts at once', 64, (contender, turn) => contender.insert(`t${turn}`)],
];

interface Figures {
  readonly cpu: number[];
  readonly rate: number[];
}

async function measure(
  contender: Contender,
  width: number,
  work: Work,
): Promise<{ cpu: number; rate: number }> {
  const started = performance.now();
  const end = started + milliseconds;
  const before = process.cpuUsage();
  let turn = 0;
  do {
    if (width === 1) {
      const done = work(contender, turn++);
      // What gives values is not made to wait for a promise.
      if (done instanceof Promise) await done;
    } else {
      await Promise.all(Array.from({ length: width }, () => work(contender, turn++)));
    }
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / turn, rate: (turn / (performance.now() - started)) * 1_000 };
}

async function speeds(): Promise<string[]> {
  const all = await contenders((name) => path.join(folder, `${name}.db`));
  const figures = new Map<string, Figures>();
  // The first rounds compile.
  for (let round = options.check ? 0 : -2; round < rounds; round++) {
    for (const [title, width, work] of works) {
      for (const contender of all) {
        const { cpu, rate } = await measure(contender, width, work);
        if (round < 0) continue;
        const key = `${title}/${contender.name}`;
        const own = figures.get(key) ?? { cpu: [], rate: [] };
        own.cpu.push(cpu);
        own.rate.push(rate);
        figures.set(key, own);
      }
    }
  }
  for (const contender of all) await contender.close();
  const heads = works.map(([title]) => title);
  return [
    `| CPU in µs (thousands a second) | ${heads.join(' | ')} |`,
    `|---|${heads.map(() => '---').join('|')}|`,
    ...all.map(({ name }) => {
      const cells = heads.map((title) => {
        const { cpu, rate } = figures.get(`${title}/${name}`)!;
        return `${figure(median(cpu))} (${figure(median(rate) / 1_000)})`;
      });
      return `| ${name} | ${cells.join(' | ')} |`;
    }),
  ];
}

/** Longest time between two turns of the event loop while `work` runs, in ms. */
async function stallDuring(work: () => unknown): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const watch = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setTimeout(watch, 1);
  };
  watch();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await work();
  running = false;
  watch();
  return longest;
}

async function stalls(): Promise<string[]> {
  const held = options.check ? 30 : 700;
  const { name, open } = driver();
  const lines = ['| the lock is held for | longest stall of the event loop |', '|---|---|'];
  const cases: readonly (readonly [
    string,
    (file: string) => Promise<{ write(): unknown; close(): unknown }>,
  ])[] = [
    ...(['main', 'worker'] as const).map(
      (mode) =>
        [
          `aiohttp-ts, ${mode}`,
          async (file: string) => {
            const db = await sqlite.connect(file, { mode, slowQuery: Number.POSITIVE_INFINITY });
            return {
              write: () => db.execute("INSERT INTO posts (title) VALUES ('x')"),
              close: () => db.close(),
            };
          },
        ] as const,
    ),
    [
      `${name}, directly, busy_timeout 5000`,
      async (file) => {
        const db = open(file);
        db.exec('PRAGMA busy_timeout = 5000');
        return { write: () => db.exec("INSERT INTO posts (title) VALUES ('x')"), close: () => db.close() };
      },
    ],
  ];
  for (const [index, [title, start]] of cases.entries()) {
    const file = path.join(folder, `stall${index}.db`);
    const made = open(file);
    made.exec(`PRAGMA journal_mode = WAL; ${SCHEMA}`);
    made.close();
    const holder = fork(fileURLToPath(new URL('./hold-lock.mjs', import.meta.url)), [
      name,
      file,
      String(held),
    ]);
    await once(holder, 'message');
    const { write, close } = await start(file);
    const stall = await stallDuring(write);
    await close();
    if (holder.exitCode === null) await once(holder, 'exit');
    lines.push(`| ${held} ms, ${title} | ${stall.toFixed(0)} ms |`);
  }
  return lines;
}

try {
  const text = [...(await speeds()), '', ...(await stalls())].join('\n');
  const { node, cpu, cores, date } = describeMachine(process.versions.node);
  const note = `Node ${node}, ${cores} cores of ${cpu}, ${date}; \`npm run bench -- sqlite --rounds ${rounds} --milliseconds ${milliseconds}\`; medians.`;
  console.log(`${text}\n\n${note}`);
  if (options.publish) replaceIn('docs/sqlite.md', 'sqlite', `${text}\n\n${note}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
