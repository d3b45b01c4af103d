// What the programs of the servers share: what they are told, and what they tell.

/**
 * What to serve, from the command line.
 * @returns {{ directory: string, variant: string | undefined }}
 */
export function task() {
  return JSON.parse(process.argv[2] ?? '');
}

/**
 * Says where the server listens, and from then on how much CPU it has used when it is asked.
 * @param {number} port
 */
export function ready(port) {
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.on('disconnect', () => process.exit());
  process.send?.({ port });
}
