import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTask, isCancelled } from '../../src/asyncio/index.ts';
import {
  ClientConnectionError,
  ClientConnectorError,
  ClientSession,
  ConnectionKey,
  RetryBudget,
  type RetryOptions,
  retryMiddleware,
  ServerDisconnectedError,
  TotalTimeoutError,
} from '../../src/client/index.ts';
import { type MockAnswer, MockConnector } from '../../src/testing/index.ts';

const URL_ = 'http://api.example/';

/** Sends a request that meets these answers one after the other; which waits there were. */
async function run(
  answers: readonly MockAnswer[],
  options: RetryOptions = {},
  send: (session: ClientSession) => Promise<{ status: number }> = (session) => session.get(URL_),
): Promise<{ outcome: number | Error; waits: number[]; calls: number }> {
  const waits: number[] = [];
  const mock = new MockConnector();
  for (const method of ['GET', 'POST', 'PUT']) {
    let next = 0;
    mock.respond(method, URL_, () => answers[Math.min(next++, answers.length - 1)]!, { times: Infinity });
  }
  const session = new ClientSession({
    connector: mock,
    middlewares: [
      retryMiddleware({
        random: () => 0.5,
        now: () => Date.UTC(2030, 0, 1),
        sleep: async (ms) => void waits.push(ms),
        ...options,
      }),
    ],
  });
  try {
    const outcome = await send(session).then(
      ({ status }) => status,
      (error: Error) => error,
    );
    return { outcome, waits, calls: mock.calls.length };
  } finally {
    await session.close();
  }
}

describe('retryMiddleware', () => {
  test('a status that may pass is tried again, longer waits each time', async () => {
    const result = await run([{ status: 503 }, { status: 502 }, { status: 500 }, { body: 'ok' }], {
      attempts: 4,
    });
    assert.deepEqual(result, { outcome: 200, waits: [100, 200, 400], calls: 4 });
  });

  test('the last response is given back when nothing helps', async () => {
    assert.deepEqual(await run([{ status: 503 }]), { outcome: 503, waits: [100, 200], calls: 3 });
  });

  test('waits have a limit', async () => {
    assert.deepEqual((await run([{ status: 503 }], { delay: 1000, maxDelay: 1500 })).waits, [500, 750]);
  });

  for (const [what, answer] of [
    ['a good one', { status: 200 }],
    ['a bad request', { status: 404 }],
  ] as const) {
    test(`${what} is not tried again`, async () => assert.equal((await run([answer])).calls, 1));
  }

  test('Retry-After in seconds and as a date is obeyed, one that is too long not waited for', async () => {
    const after = (value: string): MockAnswer => ({ status: 503, headers: { 'Retry-After': value } });
    assert.deepEqual((await run([after('3'), {}])).waits, [3000]);
    assert.deepEqual((await run([after('Tue, 01 Jan 2030 00:00:07 GMT'), {}])).waits, [7000]);
    assert.deepEqual((await run([after('Tue, 01 Jan 2020 00:00:07 GMT'), {}])).waits, [0]);
    assert.deepEqual((await run([after('soon'), {}])).waits, [100]);
    assert.deepEqual(await run([after('3600')]), { outcome: 503, waits: [], calls: 1 });
    assert.deepEqual((await run([after('3600'), {}], { maxRetryAfter: 0 })).waits, [100]);
  });

  test('a request that is no GET or the like is not sent twice, unless it never left', async () => {
    const post = (session: ClientSession): Promise<{ status: number }> => session.post(URL_, { data: 'x' });
    assert.equal((await run([{ status: 503 }], {}, post)).calls, 1);
    assert.equal((await run([{ error: new ServerDisconnectedError() }], {}, post)).calls, 1);
    assert.equal((await run([{ status: 503 }, {}], { methods: ['POST'] }, post)).calls, 2);
    const key = new ConnectionKey({ host: 'api.example', port: 80, secure: false });
    const unreachable = { error: new ClientConnectorError(key, new Error('refused')) };
    assert.equal((await run([unreachable, {}], {}, post)).calls, 2);
  });

  test('a broken connection is tried again, other errors are not', async () => {
    const broken = new ClientConnectionError('broken');
    assert.deepEqual(await run([{ error: broken }, {}]), { outcome: 200, waits: [100], calls: 2 });
    const { outcome, calls } = await run([{ error: broken }]);
    assert.equal(outcome, broken);
    assert.equal(calls, 3);
    assert.equal((await run([{ error: new TotalTimeoutError('GET', 1, 'head') }])).calls, 1);
  });

  test('a body that can be sent once is', async () => {
    async function* once(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
    }
    const put = (session: ClientSession): Promise<{ status: number }> => session.put(URL_, { data: once() });
    assert.equal((await run([{ status: 503 }], {}, put)).calls, 1);
    const again = (session: ClientSession): Promise<{ status: number }> => session.put(URL_, { data: once });
    assert.equal((await run([{ status: 503 }], {}, again)).calls, 3);
  });

  test('a wait that would outlast the total timeout is not begun', async () => {
    const get = (session: ClientSession): Promise<{ status: number }> =>
      session.get(URL_, { timeout: { total: 5_000 } });
    const after = { status: 503, headers: { 'Retry-After': '6' } };
    assert.deepEqual(await run([after], {}, get), { outcome: 503, waits: [], calls: 1 });
  });

  test('the budget is shared and limits retries', async () => {
    const budget = new RetryBudget({ ratio: 0, reserve: 3 });
    assert.equal((await run([{ status: 503 }], { budget })).calls, 3);
    assert.equal((await run([{ status: 503 }], { budget })).calls, 2);
    assert.equal((await run([{ status: 503 }], { budget })).calls, 1);
    assert.equal((await run([{ status: 503 }], { budget: false, attempts: 20 })).calls, 20);
    const filling = new RetryBudget({ ratio: 0.5, reserve: 1 });
    assert.deepEqual([filling.take(), filling.take()], [true, false]);
    filling.add();
    filling.add();
    filling.add();
    assert.equal(filling.left, 1);
  });

  test('onRetry is told', async () => {
    const told: unknown[] = [];
    await run([{ status: 503 }, { error: new ClientConnectionError('x') }, {}], {
      onRetry: ({ attempt, delay, response, error }) =>
        told.push([attempt, delay, response?.status, (error as Error)?.message]),
    });
    assert.deepEqual(told, [
      [1, 100, 503, undefined],
      [2, 200, undefined, 'x'],
    ]);
  });

  for (const [what, options] of [
    ['attempts', { attempts: 0 }],
    ['delay', { delay: -1 }],
    ['maxDelay', { maxDelay: Number.NaN }],
  ] as const) {
    test(`${what} out of range`, () =>
      assert.throws(() => retryMiddleware(options), { code: 'AIO_RETRY_OPTION' }));
  }

  describe('a real wait ends with', () => {
    const wait = { sleep: undefined, delay: 3_600_000, maxDelay: 3_600_000, random: () => 1 };

    test('the signal', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const onRetry = (): void => queueMicrotask(() => controller.abort(reason));
      const get = (session: ClientSession): Promise<{ status: number }> =>
        session.get(URL_, { signal: controller.signal, timeout: { total: Infinity } });
      assert.equal((await run([{ status: 503 }], { ...wait, onRetry }, get)).outcome, reason);
    });

    test('the task', async () => {
      const get = async (session: ClientSession): Promise<{ status: number }> =>
        await createTask(() => session.get(URL_, { timeout: { total: Infinity } }));
      let cancel = (): void => {};
      const started = async (session: ClientSession): Promise<{ status: number }> => {
        const task = createTask(() => get(session));
        cancel = () => task.cancel();
        return await task;
      };
      const onRetry = (): void => void setImmediate(cancel);
      assert.ok(isCancelled((await run([{ status: 503 }], { ...wait, onRetry }, started)).outcome));
    });
  });
});
