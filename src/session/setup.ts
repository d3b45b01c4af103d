import * as web from '../web/index.ts';
import { SessionError } from './errors.ts';
import { SessionManager } from './manager.ts';
import type { SessionOptions } from './options.ts';
import type { Session } from './session.ts';
import type { Storage } from './storage.ts';

const managerOfApp = new web.AppKey<SessionManager>('aiohttp-ts/session');
const managerOfRequest = new web.RequestKey<SessionManager>('aiohttp-ts/session middleware');

/**
 * Gives an application sessions; its sub-applications have them too. Sessions are saved before the head of an answer goes out, whatever
 * answers: a handler, an HTTP exception, the page of an error, or a stream that was prepared.
 *
 * aiohttp-session: `setup(app, storage)`.
 *
 * @throws SessionError `AIO_SESSION_SETUP` when the application has sessions already
 * @throws RangeError `AIO_SESSION_SETTING` for an option that is not allowed
 * @example
 * ```ts
 * import * as session from 'aiohttp-ts/session';
 * import * as web from 'aiohttp-ts/web';
 * const app = new web.Application();
 * session.setup(app, new session.EncryptedCookieStorage(process.env.SESSION_KEY ?? 'x'.repeat(43)));
 * app.router.addGet('/', async (request) => {
 *   const visits = await session.getSession<{ count?: number }>(request);
 *   return web.jsonResponse({ count: visits.update('count', (count = 0) => count + 1) });
 * });
 * ```
 */
export function setup(app: web.Application, storage: Storage, options: SessionOptions = {}): void {
  if (app.get(managerOfApp, undefined) !== undefined) {
    throw new SessionError(
      'AIO_SESSION_SETUP',
      'This application has sessions already: setup() was called twice.',
    );
  }
  const manager = managerFor(storage, options);
  app.set(managerOfApp, manager);
  app.middlewares.append(middlewareOf(manager));
  app.onResponsePrepare.append((request, response) => manager.beforeHead(request, response));
  app.onStartup.append(async () => {
    manager.logger = app.logger;
    if (storage.kind === 'cookie') storage.start?.((message) => app.logger.warn(message));
    else await storage.open?.();
  });
  if (storage.kind === 'server') app.onCleanup.append(() => storage.close?.());
}

/**
 * The middleware alone, for those who put their middlewares together themselves. `setup` does more: without it the answers that a handler prepares itself
 * (streams) can change a session that exists, but cannot begin one; `open` and `close` of the storage are yours to call.
 *
 * aiohttp-session: `session_middleware(storage)`.
 *
 * @example
 * ```ts
 * import { MemoryStorage, sessionMiddleware } from 'aiohttp-ts/session';
 * import * as web from 'aiohttp-ts/web';
 * const app = new web.Application({ middlewares: [sessionMiddleware(new MemoryStorage())] });
 * ```
 */
export function sessionMiddleware(storage: Storage, options: SessionOptions = {}): web.Middleware {
  const manager = managerFor(storage, options);
  return async (request, handler) => {
    manager.logger = request.app.logger;
    request.original.set(managerOfRequest, manager);
    let response: web.StreamResponse;
    let thrown: unknown;
    try {
      response = await handler(request);
    } catch (error) {
      thrown = error;
      // Without a signal nobody comes by when the page of another error is made: what would need a cookie is lost then.
      response = error instanceof web.HTTPException ? error.toResponse() : new web.Response({ status: 500 });
    }
    if (response.prepared) manager.headWasSent(request);
    else if (thrown === undefined || thrown instanceof web.HTTPException) {
      await manager.afterHandler(request, thrown);
      await manager.beforeHead(request, response);
      // An exception may be one that is thrown again and again: the cookie goes to this answer only.
      if (thrown === undefined || response.cookies.size > 0) return response;
      throw thrown;
    } else {
      manager.headWasSent(request);
    }
    await manager.afterHandler(request, thrown);
    if (thrown !== undefined) throw thrown;
    return response;
  };
}

/**
 * The session of a request. Loaded on the first call; later ones give the same object. Who has none gets an empty one, of which nothing is
 * kept until something is put in.
 *
 * @typeParam T - What the session keeps. It is a promise of yours, nothing checks it.
 * @throws SessionError `AIO_SESSION_SETUP` when the application has no sessions
 * @throws HTTPServiceUnavailable (503) when the storage does not answer
 * @example
 * ```ts
 * const session = await getSession<{ lastVisit?: number }>(request);
 * const last = session.get('lastVisit');
 * session.set('lastVisit', Date.now());
 * ```
 */
export function getSession<T extends object = Record<string, unknown>>(
  request: web.Request,
): Promise<Session<T>> {
  return managerBehind(request).get(request) as Promise<unknown> as Promise<Session<T>>;
}

/**
 * A new session for a request, in place of the one that it came with, which is deleted.
 *
 * @throws as {@link getSession}; SessionError `AIO_SESSION_TOO_LATE` when the head of the answer was sent
 * @example
 * ```ts
 * const session = await newSession<{ user: string }>(request);
 * session.set('user', 'ann');
 * ```
 */
export async function newSession<T extends object = Record<string, unknown>>(
  request: web.Request,
): Promise<Session<T>> {
  return (await managerBehind(request).fresh(request)) as unknown as Session<T>;
}

/**
 * The storage that the sessions of a request are in, for `sessionsOf` and `revokeAll`.
 *
 * @throws SessionError `AIO_SESSION_SETUP` when the application has no sessions
 * @example
 * ```ts
 * const session = await getSession(request);
 * const storage = storageOf(request);
 * if (storage.kind === 'server' && session.user !== undefined) await storage.revokeAll(session.user, session.key);
 * ```
 */
export function storageOf(request: web.Request): Storage {
  return managerBehind(request).storage;
}

function managerBehind(request: web.Request): SessionManager {
  const manager = request.original.get(managerOfRequest) ?? request.configDict.get(managerOfApp, undefined);
  if (manager !== undefined) return manager;
  throw new SessionError(
    'AIO_SESSION_SETUP',
    'There are no sessions here: call session.setup(app, storage), or put sessionMiddleware(storage) around the handler.',
  );
}

/** @throws TypeError `AIO_SESSION_SETTING` for what is no storage */
function managerFor(storage: Storage, options: SessionOptions): SessionManager {
  const kind: unknown = (storage as { kind?: unknown } | undefined)?.kind;
  if (kind !== 'server' && kind !== 'cookie') {
    throw Object.assign(
      new TypeError(`A session storage is an object of kind 'server' or 'cookie', got ${typeof storage}.`),
      { code: 'AIO_SESSION_SETTING' },
    );
  }
  return new SessionManager(storage, options);
}

function middlewareOf(manager: SessionManager): web.Middleware {
  const ended = (
    request: web.Request,
    response: web.StreamResponse,
  ): web.StreamResponse | Promise<web.StreamResponse> =>
    manager.afterHandler(request)?.then(() => response) ?? response;
  const failed = async (request: web.Request, error: unknown): Promise<never> => {
    try {
      await manager.afterHandler(request, error ?? new Error('nothing'));
    } catch (other) {
      manager.logger.error('A session could not be saved after its handler had failed', other);
    }
    throw error;
  };
  // No async function: a request that has nothing to do with sessions pays one `then`.
  return (request, handler) => {
    let result: web.Awaitable<web.StreamResponse>;
    try {
      result = handler(request);
    } catch (error) {
      return failed(request, error);
    }
    if (!('then' in result)) return ended(request, result);
    return result.then(
      (response) => ended(request, response),
      (error: unknown) => failed(request, error),
    );
  };
}
