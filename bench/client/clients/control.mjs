// The side of a measured client that talks to the bench: it repeats the scenario's request as told, and says what that cost.

/**
 * @typedef {object} Task what a client of the bench is started with
 * @property {'get' | 'post' | 'down' | 'up'} program which of the programs it runs
 * @property {string} origin
 * @property {number} port
 * @property {number} concurrency
 * @property {string | undefined} variant a variant of the client, such as `full`
 */

/**
 * What a client is asked for. Each returns what the server answered: text, or for `down` the number of bytes.
 * @typedef {object} Programs
 * @property {() => Promise<string>} get GET /
 * @property {() => Promise<string>} post POST /json with `message` as JSON; the answer parsed and `ok` of it as text
 * @property {() => Promise<number>} down GET /down, read piece by piece
 * @property {() => Promise<string>} up PUT /up with `pieces()`
 */

/** The data that is posted: about one kilobyte of JSON. */
export const message = {
  key: 'number one',
  title: 'A post about the things that a post is about',
  tags: ['alpha', 'beta', 'gamma', 'delta'],
  author: { name: 'Ada Lovelace', id: 1815, admin: false },
  text: 'All work and no play makes a dull benchmark. '.repeat(18),
};

/** Bytes of the large bodies. */
export const size = 67_108_864;
const piece = Buffer.alloc(65_536, 'x');

/** The body that is sent up. */
export async function* pieces() {
  for (let sent = 0; sent < size; sent += piece.length) yield piece;
}

/** @type {Record<Task['program'], string | number>} */
const expected = { get: 'Hello world', post: 'true', down: size, up: 'received' };

/** @returns {Task} */
export function task() {
  return JSON.parse(process.argv[2] ?? '{}');
}

/**
 * Runs the program as often as the bench says.
 * @param {Programs} programs
 */
export function measured(programs) {
  const { program, concurrency } = task();
  const run = programs[program];
  const answer = expected[program];

  /** @param {number} until */
  async function worker(until) {
    let count = 0;
    do {
      const got = await run();
      if (got !== answer)
        throw new Error(`'${program}' answered ${JSON.stringify(got)}, not ${JSON.stringify(answer)}`);
      count++;
    } while (performance.now() < until);
    return count;
  }

  process.on('message', async (/** @type {{ seconds: number }} */ { seconds }) => {
    const before = process.cpuUsage();
    const until = performance.now() + seconds * 1_000;
    const counts = await Promise.all(Array.from({ length: concurrency }, () => worker(until)));
    const { user, system } = process.cpuUsage(before);
    process.send?.({ requests: counts.reduce((sum, count) => sum + count, 0), user, system });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');
}
