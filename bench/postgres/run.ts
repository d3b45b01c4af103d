// npm run bench -- postgres [--rounds N] [--milliseconds MS] [--publish] [--check]
//
// What aiohttp-ts/postgres costs beside the driver that it stands on: CPU of this process for a statement, against pg's own pool, with a
// real server over its Unix socket. Rounds are interleaved, and only the ratios of one run count.
//
// --publish  writes the table into docs/database.md
// --check    only sees that everything runs: one very short round, nothing is written

import { parseArgs } from 'node:util';
import { connect } from 'aiohttp-ts/postgres';
import pg from 'pg';
import { PostgresServer, withoutPostgres } from '../../tests/postgres/postgres-server.ts';
import { positive } from '../effort.ts';
import { describeMachine } from '../machine.ts';
import { replaceIn } from '../publish.ts';
import { figure, median } from '../statistics.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    publish: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const rounds = positive('rounds', options.rounds ?? (options.check ? '1' : '7'));
const milliseconds = positive('milliseconds', options.milliseconds ?? (options.check ? '20' : '300'));

if (withoutPostgres !== false) {
  console.log(withoutPostgres);
  process.exit();
}

interface Contender {
  readonly name: string;
  get(id: number): Promise<unknown>;
  list(): Promise<unknown>;
  insert(id: number): Promise<unknown>;
  transaction(id: number): Promise<unknown>;
  close(): Promise<void>;
}

const GET = 'SELECT id, title, score FROM posts WHERE id = $1';
const LIST = 'SELECT id, title, score FROM posts ORDER BY id LIMIT 50';
const INSERT = 'INSERT INTO log (post, text) VALUES ($1, $2)';

async function ours(url: string): Promise<Contender> {
  const db = await connect(url, { max: 10 });
  return {
    name: 'aiohttp-ts/postgres',
    get: (id) => db.fetchone(GET, [id]),
    list: () => db.fetchall(LIST),
    insert: (id) => db.execute(INSERT, [id, 'text']),
    transaction: (id) =>
      db.transaction(async (tx) => {
        await tx.fetchone(GET, [id]);
        await tx.execute(INSERT, [id, 'text']);
      }),
    close: () => db.close(),
  };
}

function driver(url: string): Contender {
  const { hostname, port, username } = new URL(url);
  const pool = new pg.Pool({
    host: decodeURIComponent(hostname),
    port: Number(port),
    user: username,
    database: 'postgres',
    max: 10,
  });
  return {
    name: "pg's Pool, named statements",
    get: async (id) => (await pool.query({ name: 'get', text: GET, values: [id] })).rows[0],
    list: async () => (await pool.query({ name: 'list', text: LIST })).rows,
    insert: (id) => pool.query({ name: 'insert', text: INSERT, values: [id, 'text'] }),
    transaction: async (id) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await client.query({ name: 'get', text: GET, values: [id] });
        await client.query({ name: 'insert', text: INSERT, values: [id, 'text'] });
        await client.query('COMMIT');
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
}

const works: readonly (readonly [
  title: string,
  width: number,
  work: (on: Contender, id: number) => Promise<unknown>,
])[] = [
  ['get', 1, (on, id) => on.get(id)],
  ['get, 64 at once', 64, (on, id) => on.get(id)],
  ['50 rows', 1, (on) => on.list()],
  ['insert', 1, (on, id) => on.insert(id)],
  ['insert, 64 at once', 64, (on, id) => on.insert(id)],
  ['get and insert in a transaction', 1, (on, id) => on.transaction(id)],
];

/** Microseconds of CPU and of the clock that one piece of work takes. */
async function measure(
  on: Contender,
  width: number,
  work: (on: Contender, id: number) => Promise<unknown>,
): Promise<{ readonly cpu: number; readonly wall: number }> {
  const started = performance.now();
  const before = process.cpuUsage();
  let done = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      do await work(on, (done++ % 1_000) + 1);
      while (performance.now() - started < milliseconds);
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / done, wall: ((performance.now() - started) * 1_000) / done };
}

const server = await PostgresServer.start();
try {
  const contenders = [await ours(server.socketUrl), driver(server.socketUrl)];
  const schema = await connect(server.socketUrl, { max: 1 });
  await schema.executescript(`
    CREATE TABLE posts (id int PRIMARY KEY, title text NOT NULL, score float8 NOT NULL);
    INSERT INTO posts SELECT n, 'title ' || n, n / 7.0 FROM generate_series(1, 1000) AS n;
    CREATE TABLE log (post int, text text);`);
  await schema.close();

  const figures = new Map<string, { cpu: number[]; wall: number[] }>();
  // The first rounds compile.
  for (let round = options.check ? 0 : -2; round < rounds; round++) {
    for (const [title, width, work] of works) {
      for (const contender of contenders) {
        const { cpu, wall } = await measure(contender, width, work);
        if (round < 0) continue;
        const key = `${title}/${contender.name}`;
        const own = figures.get(key) ?? { cpu: [], wall: [] };
        own.cpu.push(cpu);
        own.wall.push(wall);
        figures.set(key, own);
      }
    }
  }
  for (const contender of contenders) await contender.close();

  const text = [
    `| µs of CPU (of the clock) | ${works.map(([title]) => title).join(' | ')} |`,
    `|---|${works.map(() => '---').join('|')}|`,
    ...contenders.map(({ name }) => {
      const cells = works.map(([title]) => {
        const { cpu, wall } = figures.get(`${title}/${name}`)!;
        return `${figure(median(cpu))} (${figure(median(wall))})`;
      });
      return `| ${name} | ${cells.join(' | ')} |`;
    }),
  ].join('\n');
  const { node, cpu, cores, date } = describeMachine(process.versions.node);
  const note = `Node ${node}, ${cores} cores of ${cpu}, ${date}; \`npm run bench -- postgres --rounds ${rounds} --milliseconds ${milliseconds}\`; medians.`;
  console.log(`${text}\n\n${note}`);
  if (options.publish) replaceIn('docs/database.md', 'postgres', `${text}\n\n${note}\n`);
} finally {
  await server.stop();
}
