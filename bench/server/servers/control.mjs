// The side of a measured server that talks to the bench: it says where it listens, and answers what it has used.

/**
 * @typedef {object} Task what a server of the bench is started with
 * @property {'text' | 'json' | 'post' | 'browser'} program which of the programs it serves
 * @property {{ key: string, cert: string } | undefined} tls
 * @property {string | undefined} variant a variant of the server, such as `optimized`
 */

/** The data that the programs answer with; `../scenarios.ts` checks that all servers answer the same. */
export const text = 'Hello world';

/** Idle connections must outlive the measurement of what they cost, whatever a server's own default is. */
export const keepAliveTimeout = 300_000;

/** @returns {Task} */
export function task() {
  return JSON.parse(process.argv[2] ?? '{}');
}

/**
 * Tells the bench that the server accepts connections.
 * @param {number} port
 */
export function ready(port) {
  if (process.send === undefined) {
    console.log(`listening on http://127.0.0.1:${port}`);
    return;
  }
  process.on('message', (question) => {
    if (question === 'cpu') process.send?.(process.cpuUsage());
    else if (question === 'memory') {
      globalThis.gc?.();
      globalThis.gc?.();
      process.send?.(process.memoryUsage());
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ port });
}
