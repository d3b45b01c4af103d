import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { createTask, isCancelled, sleep, type Task } from '../../src/asyncio/index.ts';
import type { ConnectRequest } from '../../src/client/connect-request.ts';
import type { PooledConnection } from '../../src/client/pooled-connection.ts';
import { TCPConnector } from '../../src/client/tcp-connector.ts';
import { answer, RawServer, until } from '../net/raw-server.ts';
import { exchangeOn, requestTo } from './exchange.ts';

const HOSTS = 3;

type Step =
  | { readonly kind: 'connect'; readonly host: number; readonly limited: boolean }
  | { readonly kind: 'exchange' | 'release' | 'close' | 'cancel' | 'cut'; readonly at: number }
  | { readonly kind: 'turn' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('connect' as const),
      host: fc.nat(HOSTS - 1),
      limited: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'exchange' as const,
        'release' as const,
        'close' as const,
        'cancel' as const,
        'cut' as const,
      ),
      at: fc.nat(20),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
);

describe('in any order of events', () => {
  const servers: RawServer[] = [];

  before(async () => {
    for (let host = 0; host < HOSTS; host++) {
      servers.push(await RawServer.answering((socket) => socket.write(answer('ok'))));
    }
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  test('there are never more sockets than allowed, and no place is lost', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 3 }),
      async (steps, limit, limitPerHost) => {
        const run = new Run(servers, limit, limitPerHost);
        for (const next of steps) await run.take(next);
        await run.finish();
      },
    );
    await fc.assert(property, { seed: 4_2026, numRuns: 150 });
  });
});

class Run {
  readonly connector: TCPConnector;
  readonly requests: readonly ConnectRequest[];
  readonly limit: number;
  readonly limitPerHost: number;
  readonly tasks: Set<Task<void>>;
  readonly held: Set<PooledConnection>;
  readonly exchanges: Set<Promise<unknown>>;

  constructor(servers: readonly RawServer[], limit: number, limitPerHost: number) {
    this.connector = new TCPConnector({ limit, limitPerHost });
    this.requests = servers.map(({ port }) => requestTo(port));
    this.limit = limit;
    this.limitPerHost = limitPerHost;
    this.tasks = new Set();
    this.held = new Set();
    this.exchanges = new Set();
  }

  async take(next: Step): Promise<void> {
    switch (next.kind) {
      case 'connect':
        this.connect(this.requests[next.host]!, next.limited);
        break;
      case 'turn':
        await new Promise((resolve) => setImmediate(resolve));
        break;
      case 'cancel':
        pick(this.tasks, next.at)?.cancel();
        break;
      default:
        this.use(next.kind, pick(this.held, next.at));
    }
    this.check();
    await sleep(0);
    this.check();
  }

  connect(request: ConnectRequest, limited: boolean): void {
    const timeouts = limited ? { poolWait: 5 } : {};
    const task = createTask(async () => {
      const pooled =
        this.connector.reuse(request.key) ?? (await this.connector.connect({ ...request, timeouts }));
      assert.equal(pooled.connection.closed && !pooled.released, false);
      this.held.add(pooled);
      pooled.onReleased = () => this.held.delete(pooled);
      if (pooled.released) this.held.delete(pooled);
    });
    this.tasks.add(task);
    task.addDoneCallback(() => {
      this.tasks.delete(task);
      const error = task.cancelled() ? undefined : task.exception();
      if (error !== undefined && !isCancelled(error)) assert.match(String(error), /was free within 5 ms/);
    });
  }

  use(kind: 'exchange' | 'release' | 'close' | 'cut', pooled: PooledConnection | undefined): void {
    if (pooled === undefined) return;
    if (kind === 'cut') {
      pooled.connection.socket.destroy();
    } else if (kind === 'exchange') {
      if (pooled.connection.busy) return;
      const exchange = exchangeOn(pooled).catch(() => {});
      this.exchanges.add(exchange);
      void exchange.then(() => this.exchanges.delete(exchange));
    } else {
      pooled[kind]();
    }
  }

  check(): void {
    const { idle, busy, connecting } = this.connector.stats;
    assert.ok(idle >= 0 && busy >= 0 && connecting >= 0);
    assert.ok(idle + busy + connecting <= this.limit, JSON.stringify(this.connector.stats));
    if (this.limitPerHost === 0) return;
    for (const { key } of this.requests) {
      const inUse = [...this.held].filter((pooled) => pooled.key.id === key.id).length;
      assert.ok(inUse <= this.limitPerHost, `${inUse} in use of ${key}`);
    }
  }

  /** Everything that was taken is given back: then everybody who waits is served, and nobody is left. */
  async finish(): Promise<void> {
    while (this.tasks.size > 0 || this.held.size > 0 || this.exchanges.size > 0) {
      for (const pooled of this.held) if (!pooled.connection.busy) pooled.release();
      await until(() => this.tasks.size === 0 || this.held.size > 0);
      await Promise.all(this.exchanges);
      this.check();
    }
    const { idle, busy, connecting, waiting } = this.connector.stats;
    assert.deepEqual([busy, connecting, waiting], [0, 0, 0]);
    assert.ok(idle <= this.limit);
    // All places can be taken again.
    const again = await Promise.all(
      Array.from({ length: this.limit }, (_none, index) =>
        this.limitPerHost === 0 || index < this.limitPerHost
          ? this.connector.connect(this.requests[0]!)
          : undefined,
      ),
    );
    for (const pooled of again) pooled?.release();
    await this.connector.close();
  }
}

function pick<T>(set: ReadonlySet<T>, at: number): T | undefined {
  return [...set][set.size === 0 ? 0 : at % set.size];
}
