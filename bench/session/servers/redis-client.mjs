// The same client of Redis for all: without its own timeout, which costs more than the commands.

import { createClient } from '@redis/client';

/** @param {string | undefined} url */
export async function connectRedis(url) {
  if (url === undefined) throw new Error('this store needs a Redis');
  const client = createClient({ url, disableOfflineQueue: true, commandOptions: { timeout: 0 } });
  client.on('error', () => {});
  await client.connect();
  return client;
}
