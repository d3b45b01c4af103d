import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sleep } from '../../src/asyncio/index.ts';
import * as session from '../../src/session/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { Visitor } from './visitor.ts';

/** A memory that other writers are always faster in, for a while. */
class BusyStorage extends session.MemoryStorage {
  others = 0;
  attempts = 0;

  override async replace(
    key: string,
    version: string,
    write: session.SessionWrite,
  ): Promise<session.WriteOutcome> {
    this.attempts++;
    if (this.others > 0) {
      this.others--;
      const { value } = (await this.load(key))!;
      await super.replace(key, version, {
        ...write,
        value: value.replace(/"other":\d+/, `"other":${this.others}`),
      });
    }
    return super.replace(key, version, write);
  }
}

interface Told {
  readonly errors: string[];
  readonly warnings: string[];
  readonly logger: web.Logger;
}

function listener(): Told {
  const errors: string[] = [];
  const warnings: string[] = [];
  const logger: web.Logger = {
    info() {},
    warn: (message) => void warnings.push(message),
    error: (message) => void errors.push(message),
  };
  return { errors, warnings, logger };
}

function site(storage: session.ServerStorage, told: Told, options?: session.SessionOptions): web.Application {
  const app = new web.Application({ logger: told.logger });
  session.setup(app, storage, options);
  app.router.addGet('/begin', async (request) => {
    (await session.getSession(request)).set('other', 9).set('mine', 0);
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/mine', async (request) => {
    const data = await session.getSession<{ mine?: number }>(request);
    data.update('mine', (mine = 0) => mine + 1);
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/show', async (request) =>
    web.jsonResponse((await session.getSession(request)).toJSON()),
  );
  app.router.addGet('/bad-head', async (request) => {
    (await session.getSession(request)).set('a', 1);
    const response = new web.Response({ text: 'never sent' });
    response.headers.set('X-Bad', 'split\r\nSet-Cookie: evil=1');
    return response;
  });
  return app;
}

describe('a change that others are faster with', () => {
  test('is tried again on what they have left', async () => {
    const storage = new BusyStorage();
    const visitor = new Visitor(site(storage, listener()));
    await visitor.get('/begin');
    storage.others = 5;
    assert.equal((await visitor.get('/mine')).status, 200);
    assert.equal(storage.attempts, 6);
    assert.equal((await visitor.get('/show')).text, '{"other":0,"mine":1}');
  });

  test('is given up after so many times, and the client is told to come back', async () => {
    const storage = new BusyStorage();
    const told = listener();
    const visitor = new Visitor(site(storage, told, { retries: 3 }));
    await visitor.get('/begin');
    storage.others = 100;
    const { status, headers } = await visitor.get('/mine');
    assert.deepEqual([status, headers.get('retry-after'), storage.attempts], [503, '1', 4]);
    assert.equal(told.errors.length, 1);
    storage.others = 0;
    assert.equal((await visitor.get('/show')).text, '{"other":96,"mine":0}');
  });
});

describe('the answer', () => {
  test('that could not be sent leaves its cookie to the page of the error', async () => {
    const visitor = new Visitor(site(new session.MemoryStorage(), listener()));
    const { status, setCookies } = await visitor.get('/bad-head');
    assert.equal(status, 500);
    assert.equal(setCookies.length, 1);
    assert.match(setCookies[0]!, /^AIOHTTP_SESSION=/);
    assert.equal((await visitor.get('/show')).text, '{"a":1}');
  });

  test('waits for the store: the next request finds what was changed', async () => {
    class SlowStorage extends session.MemoryStorage {
      override async create(key: string, write: session.SessionWrite): Promise<string | undefined> {
        await sleep(20);
        return super.create(key, write);
      }
    }
    const app = site(new SlowStorage(), listener());
    await using server = await new TestServer(app).start();
    const visitor = new Visitor(server.makeUrl('').replace(/\/$/, ''));
    await visitor.get('/begin');
    assert.equal((await visitor.get('/show')).text, '{"other":9,"mine":0}');
  });

  test('of a storage that is down is 503, told once a second; nothing of the cause reaches the client', async () => {
    class BrokenStorage extends session.MemoryStorage {
      override async load(): Promise<never> {
        throw new session.SessionUnavailableError('password of the store: secret-4711');
      }
    }
    const told = listener();
    const visitor = new Visitor(site(new BrokenStorage(), told));
    visitor.cookies.set('AIOHTTP_SESSION', session.newIdentity());
    for (let count = 0; count < 3; count++) {
      const { status, text } = await visitor.get('/show');
      assert.deepEqual([status, text.includes('4711')], [503, false]);
    }
    assert.equal(told.errors.length, 1);
  });

  test('of a storage with a defect is 500', async () => {
    class DefectiveStorage extends session.MemoryStorage {
      override async load(): Promise<never> {
        throw new TypeError('a defect');
      }
    }
    const told = listener();
    const visitor = new Visitor(site(new DefectiveStorage(), told));
    visitor.cookies.set('AIOHTTP_SESSION', session.newIdentity());
    assert.equal((await visitor.get('/show')).status, 500);
    assert.match(told.errors[0]!, /a defect/);
  });

  test('goes on without the session that ended meanwhile, and the log says so', async () => {
    const storage = new session.MemoryStorage();
    const told = listener();
    const app = site(storage, told);
    app.router.addGet('/ended', async (request) => {
      const data = await session.getSession(request);
      data.set('x', 1);
      await storage.delete(data.key!);
      return new web.Response({ text: 'ok' });
    });
    const visitor = new Visitor(app);
    await visitor.get('/begin');
    const { status, setCookies } = await visitor.get('/ended');
    assert.deepEqual([status, setCookies], [200, []]);
    assert.match(told.warnings[0]!, /A session had ended when GET "\/ended" was to save its changes/);
    assert.equal(storage.size, 0);
  });
});

describe('a client that leaves', () => {
  test('does not undo what its handler has changed', async () => {
    const storage = new session.MemoryStorage();
    const app = site(storage, listener());
    let left: Promise<void> | undefined;
    app.router.addGet('/left', async (request) => {
      const data = await session.getSession(request);
      data.set('left', true);
      const response = new web.StreamResponse();
      await response.prepare(request);
      left = new Promise((resolve) =>
        request.signal.addEventListener('abort', () => resolve(), { once: true }),
      );
      await response.write(Buffer.from('piece'));
      await left;
      data.set('after', true);
      return response;
    });
    await using server = await new TestServer(app).start();
    const url = server.makeUrl('').replace(/\/$/, '');
    const visitor = new Visitor(url);
    await visitor.get('/begin');
    const controller = new AbortController();
    const answer = await fetch(`${url}/left`, {
      headers: { cookie: `AIOHTTP_SESSION=${visitor.cookie}` },
      signal: controller.signal,
    });
    controller.abort();
    await answer.text().catch(() => {});
    await left;
    for (let attempt = 0; ; attempt++) {
      const data = JSON.parse((await visitor.get('/show')).text);
      assert.equal(data.left, true);
      if (data.after === true) break;
      assert.ok(attempt < 500, 'the late change is saved');
      await sleep(2);
    }
  });
});
