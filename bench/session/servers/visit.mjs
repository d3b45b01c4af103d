// What all servers of this bench do with a session.

/** What a session holds besides its counter: about 230 bytes of JSON. */
export const contents = {
  user: 'ann@example.org',
  name: 'Ann Example',
  roles: ['editor', 'author'],
  csrf: 'k3JxW0v5T1pZ8n2Q7bYdR4sLhF6gUeMa',
  cart: [
    { id: 4711, count: 1, price: 19.9 },
    { id: 815, count: 2, price: 4.5 },
  ],
};

/** A secret for all that need one. */
export const secret = 'a secret that is long enough for every library of this bench';

/**
 * @returns {{ store: 'memory' | 'redis' | 'cookie', redisUrl: string | undefined }}
 */
export function sessionTask() {
  return JSON.parse(process.argv[2] ?? '{}');
}
