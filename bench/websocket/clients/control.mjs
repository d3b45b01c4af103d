// The side of a measured client that talks to the bench: it has its connections send and receive as told, and says what that cost.

import { messages, task } from '../messages.mjs';

/**
 * @typedef {object} Connection
 * @property {(until: number) => Promise<number>} run sends, waits for the echo, and sends again until that time; the number of echoes
 */

/** @param {(url: string) => Promise<Connection>} connect */
export async function measured(connect) {
  const { port, connections } = task();
  const all = await Promise.all(
    Array.from({ length: connections }, () => connect(`ws://127.0.0.1:${port}/`)),
  );
  process.on('message', async (/** @type {{ seconds: number }} */ { seconds }) => {
    const before = process.cpuUsage();
    const until = performance.now() + seconds * 1_000;
    const counts = await Promise.all(all.map((connection) => connection.run(until)));
    const { user, system } = process.cpuUsage(before);
    process.send?.({ messages: counts.reduce((sum, count) => sum + count, 0), user, system });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');
}

const expected = messages[task().program];

/**
 * An echo of something else would be measured for nothing.
 * @param {unknown} data
 */
export function check(data) {
  const same =
    typeof expected === 'string'
      ? data === expected
      : data instanceof Uint8Array && data.length === expected?.length && data[9] === expected[9];
  if (!same) throw new Error(`the echo is ${String(data).slice(0, 100)}`);
}
