import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { outside, sleep, TimeoutError, timeout } from '../../src/asyncio/index.ts';
import { open, type TransactionMiddlewareOptions, transactionMiddleware } from '../../src/database/index.ts';
import type { PostgresDatabase } from '../../src/postgres/index.ts';
import { type Database, sql } from '../../src/sql/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { PostgresServer, withoutPostgres } from '../postgres/postgres-server.ts';

const DB = new web.AppKey<Database>('db');

/** A promise, and what settles it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const kinds: Readonly<Record<string, string | false>> = { sqlite: false, postgres: withoutPostgres };

for (const [kind, skip] of Object.entries(kinds)) {
  describe(`transactionMiddleware on ${kind}`, { skip, concurrency: false }, () => {
    let server: PostgresServer | undefined;
    let folder: string;
    let db: Database;

    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'aiohttp-ts-middleware-'));
      if (kind === 'postgres') server = await PostgresServer.start();
      // Who waits behind a hundred others waits for long on a slow machine.
      db = await open(server?.url ?? `sqlite://${folder}/test.db`, {
        sqlite: { busyTimeout: 60_000 },
        postgres: { max: 6, acquireTimeout: 60_000 },
      });
    });
    beforeEach(async () => {
      await db.executescript('DROP TABLE IF EXISTS notes');
      await db.executescript('CREATE TABLE notes (name TEXT PRIMARY KEY)');
    });
    after(async () => {
      await db?.close();
      await server?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const add = (name: string): Promise<unknown> => db.execute(sql`INSERT INTO notes VALUES (${name})`);
    const names = async (): Promise<string[]> =>
      (await db.fetchall<{ name: string }>('SELECT name FROM notes ORDER BY name')).map(({ name }) => name);

    /** Serves one handler behind the middleware, and calls `use` with its address. */
    const serve = async (
      handler: web.Handler,
      use: (url: string, server: TestServer) => Promise<void>,
      options?: TransactionMiddlewareOptions,
    ): Promise<void> => {
      const app = new web.Application({ middlewares: [transactionMiddleware(DB, options)] });
      app.set(DB, db);
      app.router.addRoute('*', '/{tail:.*}', handler);
      const testServer = new TestServer(app);
      await testServer.start();
      try {
        await use(String(testServer.makeUrl('/')), testServer);
      } finally {
        await testServer.close();
      }
    };

    interface Ending {
      readonly handler: (request: web.Request) => Promise<web.HandlerResult>;
      readonly status: number;
      readonly kept: boolean;
    }
    const endings: Readonly<Record<string, Ending>> = {
      'a response of 200': { handler: async () => new web.Response(), status: 200, kept: true },
      'a platform response': {
        handler: async () => new Response('x', { status: 201 }),
        status: 201,
        kept: true,
      },
      'a thrown redirect': {
        handler: async () => {
          throw new web.HTTPSeeOther('/');
        },
        status: 303,
        kept: true,
      },
      'a returned redirect': { handler: async () => new web.HTTPFound('/'), status: 302, kept: true },
      'a thrown 404': {
        handler: async () => {
          throw new web.HTTPNotFound();
        },
        status: 404,
        kept: false,
      },
      'a returned 409': { handler: async () => new web.Response({ status: 409 }), status: 409, kept: false },
      'a returned 500': { handler: async () => new web.Response({ status: 500 }), status: 500, kept: false },
      'a thrown error': {
        handler: async () => {
          throw new Error('expected: thrown by the test');
        },
        status: 500,
        kept: false,
      },
    };
    for (const [name, { handler, status, kept }] of Object.entries(endings)) {
      test(`${name} ${kept ? 'keeps' : 'undoes'} what was written`, async (t) => {
        t.mock.method(console, 'error', () => {});
        await serve(
          async (request) => {
            await add('a');
            return await handler(request);
          },
          async (url) => {
            const response = await fetch(url, { method: 'POST', redirect: 'manual' });
            assert.equal(response.status, status);
            assert.deepEqual(await names(), kept ? ['a'] : []);
          },
        );
      });
    }

    test('which answers keep what was written can be said', async () => {
      await serve(
        async () => {
          await add('failed login');
          return new web.Response({ status: 401 });
        },
        async (url) => {
          await fetch(url);
          assert.deepEqual(await names(), ['failed login']);
        },
        { commitOn: (status) => status < 500 },
      );
    });

    test('what is written outside of it holds in any case', async () => {
      await serve(
        async () => {
          await outside(() => add('counted'));
          await add('undone');
          throw new web.HTTPForbidden();
        },
        async (url) => {
          await fetch(url);
          assert.deepEqual(await names(), ['counted']);
        },
      );
    });

    test('a request that asks nothing of the database opens nothing', async () => {
      await serve(
        async () => {
          assert.equal(db.currentTransaction?.open, true);
          return new web.Response({ text: 'ok' });
        },
        async (url) => {
          // While somebody else holds the right to write.
          await db.transaction(async (tx) => {
            await tx.execute(sql`INSERT INTO notes VALUES (${'other'})`);
            assert.equal(await (await fetch(url)).text(), 'ok');
          });
        },
      );
    });

    test('100 requests at once have a transaction each', async () => {
      await serve(
        async (request) => {
          const name = request.relUrl.path;
          await add(name);
          await sleep(1);
          await add(`${name} again`);
          return new web.Response({ status: Number(name.slice(1)) % 4 === 0 ? 422 : 200 });
        },
        async (url) => {
          const statuses = await Promise.all(
            Array.from(
              { length: 100 },
              async (_, n) => (await fetch(`${url}${n}`, { method: 'PUT' })).status,
            ),
          );
          assert.equal(statuses.filter((status) => status === 200).length, 75);
          assert.equal((await names()).length, 150);
        },
      );
    });

    test('it is committed before the client hears anything', async () => {
      await serve(
        async (request) => {
          const name = request.relUrl.path;
          await add(name);
          return new web.Response();
        },
        async (url) => {
          for (let n = 0; n < 20; n++) {
            await fetch(`${url}${n}`, { method: 'POST' });
            assert.equal((await names()).length, n + 1);
          }
        },
      );
    });

    test('a stream ends it before its head, and what it writes later holds by itself', async () => {
      await serve(
        async (request) => {
          const response = new web.StreamResponse();
          await add('before');
          await response.prepare(request);
          assert.deepEqual(await outside(() => names()), ['before']);
          assert.equal(db.currentTransaction, undefined);
          await add('after');
          await response.write(Buffer.from('x'));
          assert.deepEqual(await outside(() => names()), ['after', 'before']);
          return response;
        },
        async (url) => {
          assert.equal(await (await fetch(url)).text(), 'x');
        },
      );
    });

    for (const [name, status, kept] of [
      ['of 200', 200, ['after', 'before']],
      ['of 400', 400, []],
    ] as const) {
      test(`a stream ${name} under two middlewares waited for itself: the outer transaction ended before the inner one`, async () => {
        const inner = new web.Application({ middlewares: [transactionMiddleware(DB)] });
        inner.router.addPost('/', async (request) => {
          const response = new web.StreamResponse({ status });
          await add('before');
          await response.prepare(request);
          if (status < 400) await add('after');
          await response.write(Buffer.from('x'));
          return response;
        });
        const app = new web.Application({ middlewares: [transactionMiddleware(db)] });
        app.set(DB, db);
        app.addSubapp('/inner', inner);
        await using testServer = await new TestServer(app).start();
        const response = await fetch(String(testServer.makeUrl('/inner/')), { method: 'POST' });
        assert.equal(response.status, status);
        assert.equal(await response.text(), 'x');
        assert.deepEqual(await names(), kept);
      });
    }

    test('after a first write that gave up, the others of the request ran on their own, and stayed when it was rolled back', async () => {
      await serve(
        async () => {
          const entered = gate();
          const go = gate();
          // Whoever writes first waits for them: on sqlite for the right to write, on PostgreSQL for a connection.
          const others = Array.from({ length: 6 }, () =>
            outside(() =>
              db.transaction(async (tx) => {
                await tx.execute("INSERT INTO notes VALUES ('other') ON CONFLICT DO NOTHING");
                entered.open();
                await go.opened;
              }),
            ),
          );
          await entered.opened;
          while (kind === 'postgres' && (db as PostgresDatabase).pool.size < 6) await delay(2);
          while (kind === 'postgres' && (db as PostgresDatabase).pool.idle > 0) await delay(2);
          const first = assert.rejects(
            timeout(20, () => add('first')),
            TimeoutError,
          );
          const beside = add('beside');
          await first;
          go.open();
          await Promise.all(others);
          await beside;
          await add('later');
          throw new web.HTTPConflict();
        },
        async (url) => {
          const { status } = await fetch(url);
          assert.equal(status, 409);
          assert.deepEqual(await names(), ['other']);
        },
      );
    });

    /** Sends a request whose answer nobody will wait for. */
    const visitor = (url: string): Socket => {
      const { port, hostname } = new URL(url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
      return socket;
    };

    test('a connection that breaks undoes what was written for it, at once', async () => {
      const written = gate();
      let late: unknown;
      await serve(
        async (request) => {
          await add('for nobody');
          written.open();
          await new Promise<void>((resolve) => request.onDone(() => resolve()));
          await delay(5);
          // It must not write on its own now.
          late = await add('late').catch((error: unknown) => error);
          return new web.Response();
        },
        async (url) => {
          const socket = visitor(url);
          await written.opened;
          socket.resetAndDestroy();
          while (late === undefined) await delay(5);
        },
      );
      assert.equal((late as { code?: string }).code, 'AIO_SQL_TRANSACTION_ENDED');
      assert.deepEqual(await names(), []);
    });

    test('a client that leaves before the answer undoes what was written for it', async () => {
      const written = gate();
      const ended = gate();
      await serve(
        async (request) => {
          await add('for nobody');
          written.open();
          await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
          request.onDone(() => ended.open());
          return new web.Response();
        },
        async (url) => {
          const socket = visitor(url);
          await written.opened;
          socket.end();
          const pieces: unknown[] = [];
          socket.on('data', (piece) => pieces.push(piece));
          await ended.opened;
          assert.deepEqual(pieces, []);
          socket.destroy();
        },
      );
      assert.deepEqual(await names(), []);
    });

    test('an error of COMMIT is a 500 and not a lie', async (t) => {
      t.mock.method(console, 'error', () => {});
      await db.executescript(`DROP TABLE IF EXISTS labels; CREATE TABLE labels (
        note TEXT REFERENCES notes (name) DEFERRABLE INITIALLY DEFERRED)`);
      try {
        await serve(
          async () => {
            await add('a');
            await db.execute("INSERT INTO labels VALUES ('nowhere')"); // wrong only when it is still so at the end
            return new web.Response();
          },
          async (url) => {
            assert.equal((await fetch(url, { method: 'POST' })).status, 500);
            assert.deepEqual(await names(), []);
            await add('b'); // the next one is not in the way of what failed
            assert.deepEqual(await names(), ['b']);
          },
        );
      } finally {
        await db.executescript('DROP TABLE labels');
      }
    });

    test('the database may be given itself, by a function, or by a key of the outer application', async () => {
      const inner = new web.Application({
        middlewares: [transactionMiddleware(db), transactionMiddleware(() => db), transactionMiddleware(DB)],
      });
      inner.router.addPost('/', async () => {
        await add('nested');
        return new web.Response();
      });
      const outer = new web.Application();
      outer.set(DB, db);
      outer.addSubapp('/inner', inner);
      const testServer = new TestServer(outer);
      await testServer.start();
      try {
        assert.equal((await fetch(testServer.makeUrl('/inner/'), { method: 'POST' })).status, 200);
        assert.deepEqual(await names(), ['nested']);
      } finally {
        await testServer.close();
      }
    });
  });
}
