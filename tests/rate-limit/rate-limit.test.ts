import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import fc from 'fast-check';
import { web } from '../../src/index.ts';
import { addressKey } from '../../src/rate-limit/address-key.ts';
import {
  countRequest,
  limited,
  MemoryStore,
  type RateDecision,
  type RateLimitOptions,
  type RateLimitStore,
  rateLimitMiddleware,
} from '../../src/rate-limit/index.ts';
import { TestServer, testRequest } from '../../src/testing/index.ts';

class Clock {
  time = 1_000_000;
  readonly now = (): number => this.time;
}

const byUser = (request: web.Request): string => request.query.get('user') ?? 'nobody';

function app(
  options: RateLimitOptions,
  handler: web.Handler = () => new web.Response({ text: 'ok' }),
): web.Application {
  const made = new web.Application({ middlewares: [rateLimitMiddleware({ key: byUser, ...options })] });
  made.router.addGet('/', handler);
  return made;
}

describe('the rule', () => {
  const rate = { interval: 100, capacity: 300 };

  test('a burst, then one at a time', () => {
    let arrival: number | undefined;
    const allowed: boolean[] = [];
    for (const now of [0, 0, 0, 0, 99, 100, 100, 250, 300, 1000, 1000, 1000, 1000]) {
      const decision = countRequest(arrival, now, rate);
      arrival = decision.arrival;
      allowed.push(decision.allowed);
    }
    assert.deepEqual(allowed, [
      true,
      true,
      true,
      false,
      false,
      true,
      false,
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  test('a clock that went back, or a limit that was made smaller, kept clients out for as long as it was ahead', () => {
    const ahead = 3_600_000;
    const first = countRequest(ahead, 0, rate);
    assert.deepEqual(
      { allowed: first.allowed, wait: first.wait, full: first.full },
      { allowed: false, wait: 100, full: 300 },
    );
    assert.equal(countRequest(first.arrival, 100, rate).allowed, true);
  });

  test('a clock with fractions loses nobody the last place', () => {
    for (let now = 0; now < 100; now += 0.0137) {
      const one = { interval: 60_000, capacity: 60_000 };
      assert.equal(countRequest(undefined, 1234.567 + now, one).allowed, true);
    }
  });

  test('wait tells when the next one is allowed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(200), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 5 }),
        (gaps, interval, burst) => {
          const one = { interval, capacity: interval * burst };
          let arrival: number | undefined;
          let now = 0;
          let count = 0;
          for (const gap of gaps) {
            now += gap;
            const decision = countRequest(arrival, now, one);
            if (decision.allowed) count++;
            arrival = decision.arrival;
            assert.ok(decision.full >= 0 && decision.full <= one.capacity);
            if (decision.wait > 0) {
              assert.equal(countRequest(arrival, now + decision.wait - 0.1, one).allowed, false);
            }
            assert.equal(countRequest(arrival, now + decision.wait, one).allowed, true);
          }
          // Never more than the burst and what grew back.
          assert.ok(count <= burst + now / interval + 1);
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });
});

describe('the middleware', () => {
  test('429 with Retry-After, and the quota in the head', async () => {
    const clock = new Clock();
    const target = app({ limit: 2, window: 10_000, store: new MemoryStore({ now: clock.now }) });
    const first = await testRequest(target, '/');
    assert.equal(first.status, 200);
    assert.equal(first.headers.get('RateLimit-Policy'), '"default";q=2;w=10');
    assert.equal(first.headers.get('RateLimit'), '"default";r=1;t=5');
    assert.equal(first.headers.get('RateLimit-Limit'), null);
    const second = await testRequest(target, '/');
    assert.equal(second.headers.get('RateLimit'), '"default";r=0;t=10');
    clock.time += 1000;
    const third = await testRequest(target, '/');
    assert.equal(third.status, 429);
    assert.equal(third.headers.get('Retry-After'), '4');
    assert.equal(third.headers.get('RateLimit'), '"default";r=0;t=9');
    assert.equal(await third.text(), '429: Too Many Requests');
    // Another client is not touched, and this one is served again in time.
    assert.equal((await testRequest(target, '/?user=b')).status, 200);
    clock.time += 4000;
    assert.equal((await testRequest(target, '/')).status, 200);
    assert.equal((await testRequest(target, '/')).status, 429);
  });

  test('a clock with fractions adds no second', async () => {
    for (let time = 2000; time < 200_000; time += 1_234.567_891) {
      const target = app({ limit: 2, window: 60_000, store: new MemoryStore({ now: () => time }) });
      const heads = [];
      for (let i = 0; i < 3; i++) heads.push((await testRequest(target, '/')).headers);
      assert.deepEqual(
        heads.map((head) => head.get('RateLimit')),
        ['"default";r=1;t=30', '"default";r=0;t=60', '"default";r=0;t=60'],
        `at ${time}`,
      );
      assert.equal(heads[2]!.get('Retry-After'), '30');
    }
  });

  test('the older fields', async () => {
    const classic = await testRequest(app({ limit: 5, window: 60_000, fields: 'classic' }), '/');
    assert.equal(classic.headers.get('RateLimit'), null);
    assert.deepEqual(
      ['Limit', 'Remaining', 'Reset'].map((name) => classic.headers.get(`RateLimit-${name}`)),
      ['5', '4', '12'],
    );
    const none = await testRequest(app({ limit: 5, window: 60_000, fields: 'none' }), '/');
    assert.equal(
      [...none.headers.keys()].some((name) => name.startsWith('ratelimit')),
      false,
    );
    const both = await testRequest(app({ limit: 5, window: 60_000, fields: 'both' }), '/');
    assert.ok(both.headers.has('RateLimit') && both.headers.has('RateLimit-Limit'));
  });

  test('a burst that is smaller than the limit', async () => {
    const clock = new Clock();
    const target = app({ limit: 60, window: 60_000, burst: 1, store: new MemoryStore({ now: clock.now }) });
    assert.equal((await testRequest(target, '/')).status, 200);
    assert.equal((await testRequest(target, '/')).status, 429);
    clock.time += 1000;
    assert.equal((await testRequest(target, '/')).status, 200);
  });

  test('errors of the handler tell the quota too, and a kept exception does not grow', async () => {
    const kept = new web.HTTPNotFound();
    const target = app({ limit: 9, window: 1000 }, () => {
      throw kept;
    });
    await testRequest(target, '/');
    const response = await testRequest(target, '/');
    assert.equal(response.status, 404);
    assert.match(response.headers.get('RateLimit') ?? '', /^"default";r=[78];t=1$/);
  });

  test('asynchronous handlers, keys and their errors', async () => {
    const target = app({ limit: 9, window: 1000, key: async () => 'a' }, async (request) => {
      await Promise.resolve();
      if (request.query.has('fail')) throw new web.HTTPConflict();
      return new web.Response();
    });
    assert.ok((await testRequest(target, '/')).headers.has('RateLimit'));
    const failed = await testRequest(target, '/?fail');
    assert.equal(failed.status, 409);
    assert.ok(failed.headers.has('RateLimit'));
  });

  test('keys that clients choose cannot fill the memory: a long one is kept as its hash', async () => {
    const keys: string[] = [];
    const store: RateLimitStore = {
      take(key) {
        keys.push(key);
        return { allowed: true, full: 1, wait: 0 };
      },
    };
    const key = (request: web.Request): string => request.headers.get('X-Key') ?? '';
    const target = app({ limit: 9, window: 1000, store, key });
    const long = ['a'.repeat(129), 'b'.repeat(5000), 'b'.repeat(5001)];
    for (const value of ['a'.repeat(128), ...long])
      await testRequest(target, '/', { headers: { 'X-Key': value } });
    assert.equal(keys[0], `default:${'a'.repeat(128)}`);
    for (const kept of keys.slice(1)) assert.match(kept, /^default:[\w-]{43}$/);
    assert.equal(new Set(keys).size, 4);
  });

  test('a stream that its handler prepared goes through', async () => {
    const target = app({ limit: 9, window: 1000 }, async (request) => {
      const response = new web.StreamResponse();
      await response.prepare(request);
      await response.write(Buffer.from('x'));
      return response;
    });
    assert.equal(await (await testRequest(target, '/')).text(), 'x');
  });

  test('requests that are skipped', async () => {
    const target = app({ limit: 1, window: 60_000, skip: (request) => request.query.has('health') });
    for (let i = 0; i < 3; i++) assert.equal((await testRequest(target, '/?health')).status, 200);
    assert.equal((await testRequest(target, '/')).status, 200);
    assert.equal((await testRequest(target, '/')).status, 429);
  });

  test('the address of the peer is the key', async () => {
    const target = new web.Application({ middlewares: [rateLimitMiddleware({ limit: 2, window: 60_000 })] });
    target.router.addGet('/', () => new web.Response());
    await using server = await new TestServer(target).start();
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await fetch(`http://127.0.0.1:${server.port}/`)).status);
    assert.deepEqual(statuses, [200, 200, 429]);
  });

  test('a limit for one route, beside the one for all', async () => {
    const target = app({ limit: 100, window: 60_000 });
    target.router.addGet(
      '/login/{name}',
      limited(
        { name: 'login', limit: 1, window: 60_000, key: byUser },
        ({ matchInfo }) => new web.Response({ text: matchInfo['name'] }),
      ),
    );
    const first = await testRequest(target, '/login/ada');
    assert.equal(await first.text(), 'ada');
    assert.equal(first.headers.get('RateLimit-Policy'), '"login";q=1;w=60, "default";q=100;w=60');
    assert.equal((await testRequest(target, '/login/ada')).status, 429);
    assert.equal((await testRequest(target, '/')).status, 200);
  });

  test('a handler that returns an exception or a platform response', async () => {
    const target = new web.Application();
    target.router.addGet(
      '/e',
      limited({ limit: 5, window: 1000 }, () => new web.HTTPGone()),
    );
    target.router.addGet(
      '/p',
      limited({ limit: 5, window: 1000 }, () => new Response('p')),
    );
    const gone = await testRequest(target, '/e');
    assert.equal(gone.status, 410);
    assert.ok(gone.headers.has('RateLimit'));
    assert.equal(await (await testRequest(target, '/p')).text(), 'p');
  });
});

describe('a store that fails', () => {
  const ill: RateLimitStore[] = [
    { take: () => Promise.reject(new Error('ill')) },
    {
      take: (): RateDecision => {
        throw new Error('ill');
      },
    },
  ];
  for (const [index, store] of ill.entries()) {
    test(`lets everybody through or nobody, and says it once (${index})`, async () => {
      const logged: unknown[] = [];
      const logger = { ...console, error: (text: unknown) => logged.push(text) };
      const make = (failOpen?: boolean): web.Application => {
        const made = new web.Application({
          logger,
          middlewares: [rateLimitMiddleware({ limit: 1, window: 1000, store, failOpen })],
        });
        made.router.addGet('/', () => new web.Response());
        return made;
      };
      const open = make();
      for (let i = 0; i < 3; i++) assert.equal((await testRequest(open, '/')).status, 200);
      assert.equal(logged.length, 1);
      const closed = await testRequest(make(false), '/');
      assert.equal(closed.status, 503);
      assert.equal(closed.headers.get('Retry-After'), '1');
    });
  }

  test('is told when it answers again', async () => {
    const told: string[] = [];
    const memory = new MemoryStore();
    let isIll = true;
    const store: RateLimitStore = {
      take: async (key, rate) => {
        if (isIll) throw new Error('ill');
        return memory.take(key, rate);
      },
    };
    const logger = { ...console, error: () => told.push('ill'), warn: () => told.push('well') };
    const target = new web.Application({
      logger,
      middlewares: [rateLimitMiddleware({ limit: 9, window: 1000, store })],
    });
    target.router.addGet('/', () => new web.Response());
    await testRequest(target, '/');
    isIll = false;
    await testRequest(target, '/');
    await testRequest(target, '/');
    assert.deepEqual(told, ['ill', 'well']);
  });
});

describe('MemoryStore', () => {
  const rate = { interval: 10, capacity: 20 };

  test('has a bound, and the quietest key goes first', () => {
    const clock = new Clock();
    const store = new MemoryStore({ maxKeys: 3, now: clock.now });
    for (const key of ['a', 'b', 'c', 'a', 'd']) store.take(key, rate);
    assert.equal(store.size, 3);
    assert.equal(store.take('a', rate).allowed, false);
    // b was forgotten.
    store.take('b', rate);
    assert.equal(store.take('b', rate).allowed, true);
  });

  test('empties itself', () => {
    const clock = new Clock();
    const store = new MemoryStore({ now: clock.now });
    for (let i = 0; i < 1000; i++) store.take(String(i), rate);
    clock.time += 1000;
    for (let i = 0; i < 1100; i++) store.take('x', rate);
    assert.equal(store.size, 1);
  });

  test('100,000 keys cost bounded memory', () => {
    const store = new MemoryStore({ maxKeys: 1000 });
    for (let i = 0; i < 100_000; i++) store.take(`k${i}`, { interval: 1e9, capacity: 1e9 });
    assert.equal(store.size, 1000);
  });
});

describe('keys made of addresses', () => {
  const cases: [string, number, string][] = [
    ['192.0.2.7', 64, '192.0.2.7'],
    ['::ffff:192.0.2.7', 64, '192.0.2.7'],
    ['::FFFF:c000:207', 64, '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', 64, '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', 64, '2001:db8:1:2::/64'],
    ['2001:db8:1:2ff::1', 56, '2001:db8:1:200::/56'],
    ['2001:db8:1:2::1', 48, '2001:db8:1::/48'],
    ['2001:db8::1', 128, '2001:db8:0:0:0:0:0:1::/128'],
    ['::1', 64, '0::/64'],
    ['fe80::1%eth0', 64, 'fe80::/64'],
    ['', 64, ''],
  ];
  for (const [address, prefix, expected] of cases) {
    test(`${address}/${prefix}`, () => assert.equal(addressKey(address, prefix), expected));
  }

  test('all addresses of a network are one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { minLength: 4, maxLength: 4 }), (groups) => {
        const tail = groups.map((group) => group.toString(16)).join(':');
        assert.equal(addressKey(`2001:db8:7:9:${tail}`, 64), '2001:db8:7:9::/64');
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe('wrong options', () => {
  const wrong: Partial<RateLimitOptions>[] = [
    { limit: 0 },
    { limit: 1.5 },
    { window: 0 },
    { window: Number.NaN },
    { burst: 0 },
    { burst: 0.5 },
    { ipv6Prefix: 0 },
    { ipv6Prefix: 129 },
    { name: 'a b' },
    { name: '' },
  ];
  for (const options of wrong) {
    test(JSON.stringify(options), () => {
      assert.throws(() => rateLimitMiddleware({ limit: 1, window: 1000, ...options }), {
        code: 'AIO_RATE_LIMIT_OPTION',
      });
    });
  }

  test('maxKeys', () => {
    assert.throws(() => new MemoryStore({ maxKeys: 0 }), { code: 'AIO_RATE_LIMIT_OPTION' });
  });

  test('types', () => {
    const handler = limited(
      { limit: 1, window: 1 },
      (_request: web.Request<{ id: string }>) => new web.Response(),
    );
    expectTypeOf(handler).toEqualTypeOf<web.Handler<{ id: string }>>();
    expectTypeOf(rateLimitMiddleware({ limit: 1, window: 1 })).toEqualTypeOf<web.Middleware>();
  });
});
