// The application: what stands around the pages, from the outermost to the innermost, and what is opened and closed with it.

import { createClient } from '@redis/client';
import { migrate, open, transactionMiddleware } from 'aiohttp-ts/database';
import * as jinja2 from 'aiohttp-ts/jinja2';
import { RedisStore } from 'aiohttp-ts/rate-limit';
import type { RedisClientLike } from 'aiohttp-ts/redis';
import * as security from 'aiohttp-ts/security';
import * as session from 'aiohttp-ts/session';
import * as web from 'aiohttp-ts/web';
import { accounts } from './accounts.ts';
import { api } from './api.ts';
import { DB, type User } from './db.ts';
import { errorPages } from './errors.ts';
import { loginLimits } from './login-limits.ts';
import { TokenOrSession, Users } from './users.ts';
import { views } from './views.ts';

/** Where the site keeps what it keeps. */
export interface NotesOptions {
  /** `sqlite:///path/notes.db` or `postgres://…`, for users, notes, tokens, and the sessions too if there is no Redis. */
  readonly database: string;
  /** `redis://…`, for sessions and the counting of logins: what several machines share. */
  readonly redis?: string | undefined;
}

export function makeApp(options: NotesOptions): web.Application {
  const app = new web.Application({ middlewares: [errorPages], clientMaxSize: 128 * 1024 });
  app.cleanupCtx.append(async function* database() {
    await using db = await open(options.database);
    await migrate(db, new URL('migrations/', import.meta.url));
    app.set(DB, db);
    yield;
  });
  // Before what may refuse a request, so that pages of errors know what every page shows.
  jinja2.setup(app, {
    loader: new jinja2.FileSystemLoader(new URL('templates/', import.meta.url)),
    enableAsync: true,
    trimBlocks: true,
    lstripBlocks: true,
    contextProcessors: [security.securityProcessor, pageProcessor],
    filters: { iso, day, moment },
  });
  const redis = options.redis === undefined ? undefined : connectedRedis(app, options.redis);
  const Storage = options.database.startsWith('sqlite:') ? session.SqliteStorage : session.PostgresStorage;
  session.setup(app, redis ? new session.RedisStorage(redis) : new Storage(() => app.get(DB)), {
    cookieName: 'notes_session',
  });
  security.setup(app, new TokenOrSession(), new Users(app));
  app.middlewares.append(
    security.csrfMiddleware(),
    ...loginLimits(redis && new RedisStore(redis)),
    transactionMiddleware(DB),
  );
  app.onResponsePrepare.append(security.securityHeaders());

  app.router.addStatic('/static', new URL('static/', import.meta.url), {
    name: 'static',
    appendVersion: true,
  });
  app.addRoutes(views);
  app.addRoutes(accounts);
  app.addRoutes(api);
  return app;
}

/** A client of Redis that is connected as long as the application runs. */
function connectedRedis(app: web.Application, url: string): RedisClientLike {
  const client = createClient({ url, disableOfflineQueue: true, commandOptions: { timeout: 0 } });
  client.on('error', (error) => app.logger.warn(`Redis: ${error.message}`));
  app.cleanupCtx.append(async function* redis() {
    await client.connect();
    yield;
    client.destroy();
  });
  return client;
}

/** What the frame of every page shows. Templates call it, so that answers without a page ask nobody. */
function pageProcessor(request: web.Request): Readonly<Record<string, unknown>> {
  return {
    current_user: () => security.authorizedUserId<User>(request),
    flashes: () => session.getFlashes(request),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

const days = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const moments = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

function day(time: number): string {
  return days.format(time);
}

function moment(time: number): string {
  return `${moments.format(time)} UTC`;
}
