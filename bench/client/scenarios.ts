// What each client is made to do.

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Head of a column that has little room. */
  readonly short: string;
  /** Which program the clients run (see clients/control.mjs). */
  readonly program: 'get' | 'post' | 'down' | 'up';
  /** Requests at a time, each on a connection of its own. */
  readonly concurrency: number;
  readonly unit: 'µs' | 'ms';
}

export const scenarios: readonly Scenario[] = [
  { name: 'get', title: 'GET, 64 at a time', short: 'GET × 64', program: 'get', concurrency: 64, unit: 'µs' },
  { name: 'one', title: 'GET, one at a time', short: 'GET × 1', program: 'get', concurrency: 1, unit: 'µs' },
  {
    name: 'post',
    title: 'POST, 1 KB of JSON, 64 at a time',
    short: 'POST × 64',
    program: 'post',
    concurrency: 64,
    unit: 'µs',
  },
  { name: 'down', title: '64 MB down', short: '64 MB down', program: 'down', concurrency: 1, unit: 'ms' },
  { name: 'up', title: '64 MB up, in pieces', short: '64 MB up', program: 'up', concurrency: 1, unit: 'ms' },
];
