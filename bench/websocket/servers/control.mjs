// The side of a measured server that talks to the bench: it says where it listens, and answers what it has used.

/** @param {number} port */
export function ready(port) {
  if (process.send === undefined) {
    console.log(`listening on http://127.0.0.1:${port}`);
    return;
  }
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.on('disconnect', () => process.exit(0));
  process.send({ port });
}
