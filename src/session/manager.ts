import * as web from '../web/index.ts';
import type { Changes } from './changes.ts';
import { CookieSessions } from './cookie-sessions.ts';
import { SessionError, SessionUnavailableError } from './errors.ts';
import { type SessionOptions, type Settings, settingsOf } from './options.ts';
import { emptyRecord } from './record.ts';
import { clearCookie, cookieNameFor, isSecure, sendCookie, varyByCookie } from './response-fields.ts';
import { type CookieChange, ServerSessions } from './server-sessions.ts';
import type { Phase, Session } from './session.ts';
import type { Storage } from './storage.ts';

/** The session of one request. */
class Visit {
  readonly request: web.BaseRequest;
  readonly secure: boolean;
  readonly cookieName: string;
  session: Session | undefined = undefined;
  loading: Promise<Session> | undefined = undefined;
  phase: Phase = 'open';
  /** Whether the handler has returned or thrown: nobody comes by after the head any more. */
  handlerEnded: boolean = false;
  /** It threw something else than an HTTP exception. */
  handlerFailed: boolean = false;
  saved: boolean = false;
  cookie: CookieChange = undefined;

  constructor(request: web.BaseRequest, secure: boolean, cookieName: string) {
    this.request = request;
    this.secure = secure;
    this.cookieName = cookieName;
  }

  become(phase: Phase): void {
    this.phase = phase;
    if (this.session !== undefined) this.session._phase = phase;
  }
}

/** Everything that one `setup` stands for: the sessions of all requests of an application. */
export class SessionManager {
  readonly storage: Storage;
  private readonly settings: Settings;
  private readonly sessions: ServerSessions | CookieSessions;
  private readonly visitKey: web.RequestKey<Visit> = new web.RequestKey<Visit>('aiohttp-ts/session');
  /** Where failures are told. */
  logger: web.Logger = console;
  private outageTold = 0;

  constructor(storage: Storage, options: SessionOptions) {
    this.settings = settingsOf(options);
    this.storage = storage;
    this.sessions =
      storage.kind === 'cookie'
        ? new CookieSessions(storage, this.settings)
        : new ServerSessions(storage, this.settings);
  }

  /** The session of a request; loaded on the first call. */
  get(request: web.BaseRequest): Promise<Session> {
    const visit = this.visitOf(request);
    if (visit.session !== undefined) return Promise.resolve(visit.session);
    if (visit.loading === undefined) {
      const cookie = request.cookies.get(visit.cookieName);
      if (cookie === undefined || cookie === '') return Promise.resolve(this.begin(visit));
      visit.loading = this.load(visit, cookie);
    }
    return visit.loading;
  }

  /** A session that begins now. One that the request came with is over. */
  async fresh(request: web.BaseRequest): Promise<Session> {
    const visit = this.visitOf(request);
    if (visit.phase !== 'open') {
      throw new SessionError(
        'AIO_SESSION_TOO_LATE',
        'newSession() came after the head of the answer was sent, and needs a cookie in it.',
      );
    }
    // One that cannot be loaded has nothing that could be ended.
    const before = await this.get(request);
    before.invalidate();
    return before;
  }

  private visitOf(request: web.BaseRequest): Visit {
    const original = request.original;
    const known = original.get(this.visitKey);
    if (known !== undefined) return known;
    // The request may be a clone by a middleware that knows of a proxy in front.
    const secure = isSecure(this.settings, request);
    const visit = new Visit(original, secure, cookieNameFor(this.settings, secure));
    original.set(this.visitKey, visit);
    return visit;
  }

  private begin(visit: Visit): Session {
    const session = this.sessions.fresh(emptyRecord(Date.now()));
    session._phase = visit.phase;
    visit.session = session;
    return session;
  }

  private async load(visit: Visit, cookie: string): Promise<Session> {
    try {
      const loaded = await this.sessions.load(cookie, visit.cookieName);
      if (typeof loaded === 'string') {
        this.settings.onRejected?.(loaded, visit.request);
        return this.begin(visit);
      }
      loaded._phase = visit.phase;
      visit.session = loaded;
      return loaded;
    } catch (error) {
      visit.loading = undefined;
      if (!(error instanceof SessionUnavailableError)) throw error;
      this.tellOutage(error);
      if (!this.settings.failOpen) throw unavailable(error);
      const session = this.begin(visit);
      session._unsaved = true;
      return session;
    }
  }

  /** Called before a head goes out: saves the session, and puts its cookie in. */
  beforeHead(request: web.BaseRequest, response: web.StreamResponse): Promise<void> | undefined {
    const visit = request.original.get(this.visitKey);
    if (visit === undefined) return undefined;
    varyByCookie(response);
    const { session } = visit;
    // A second answer to the same request, because the first could not be sent.
    if (visit.saved || session === undefined) {
      this.answer(visit, response);
      return undefined;
    }
    visit.saved = true;
    if (session._unsaved || (visit.handlerFailed && !this.settings.saveOnError)) {
      visit.become('over');
      return undefined;
    }
    const changes = session._changes();
    const work = this.sessions.wantsSave(session, changes, true);
    if (work) return this.saveBeforeHead(visit, session, changes, response);
    visit.become(visit.handlerEnded ? 'over' : 'head sent');
    return undefined;
  }

  private async saveBeforeHead(
    visit: Visit,
    session: Session,
    changes: Changes | undefined,
    response: web.StreamResponse,
  ): Promise<void> {
    // A change in the middle would be in neither of the two.
    visit.become(visit.handlerEnded ? 'over' : 'saving');
    try {
      visit.cookie = await this.save(visit, session, changes, true);
    } finally {
      visit.become(visit.handlerEnded ? 'over' : 'head sent');
    }
    this.answer(visit, response);
  }

  private answer(visit: Visit, response: web.StreamResponse): void {
    const { cookie, secure } = visit;
    if (cookie === undefined) return;
    if (cookie === 'clear') clearCookie(response, this.settings, secure);
    else sendCookie(response, this.settings, secure, cookie.value, cookie.maxAge);
  }

  /** Called when the handler has ended: what it changed after the head went out is saved now. */
  afterHandler(request: web.BaseRequest, error?: unknown): Promise<void> | undefined {
    const visit = request.original.get(this.visitKey);
    if (visit === undefined) return undefined;
    visit.handlerEnded = true;
    visit.handlerFailed = error !== undefined && !(error instanceof web.HTTPException);
    const { session } = visit;
    if (visit.phase !== 'head sent' || session === undefined || session._unsaved) return undefined;
    visit.become('over');
    if (visit.handlerFailed && !this.settings.saveOnError) return undefined;
    // The page of an error cannot bring a cookie any more, and nobody waits for one.
    const lost = visit.handlerFailed && session._stored === undefined;
    const changes = lost ? undefined : session._changes();
    if (!this.sessions.wantsSave(session, changes, false)) return undefined;
    return this.save(visit, session, changes, false).then(() => {});
  }

  /** For those without {@link beforeHead}: the head went out at a time that nobody told. */
  headWasSent(request: web.BaseRequest): void {
    request.original.get(this.visitKey)?.become('head sent');
  }

  private async save(
    visit: Visit,
    session: Session,
    changes: Changes | undefined,
    cookiePossible: boolean,
  ): Promise<CookieChange> {
    const { onGone } = this.settings;
    // Whoever is told that a session has ended must be able to rely on it.
    const failOpen = this.settings.failOpen && session._ended.length === 0;
    try {
      const told = await this.withEpoch(changes);
      const cookie = await this.sessions.save(session, told, cookiePossible, visit.cookieName);
      if (session.gone && changes !== undefined) {
        this.logger.warn(
          `A session had ended when ${visit.request.method} ${JSON.stringify(visit.request.rawPath)} was to save its changes to it; they were dropped`,
        );
        if (onGone === 'conflict' && cookiePossible) {
          throw new web.HTTPConflict({ text: 'Your session has ended. Please try again.' });
        }
      }
      return cookie;
    } catch (error) {
      const busy = error instanceof SessionError && error.code === 'AIO_SESSION_CONFLICT';
      if (!busy && !(error instanceof SessionUnavailableError)) throw error;
      this.tellOutage(error);
      if (failOpen) return undefined;
      throw unavailable(error);
    }
  }

  /** A session that becomes somebody's belongs to their present epoch. */
  private async withEpoch(changes: Changes | undefined): Promise<Changes | undefined> {
    const { epochOf } = this.settings;
    const user = changes?.user;
    if (epochOf === undefined || changes === undefined || user?.name === undefined) return changes;
    return { ...changes, user: { ...user, epoch: await epochOf(user.name) } };
  }

  /** At most once a second: an outage fails many requests. */
  private tellOutage(error: Error): void {
    const now = Date.now();
    if (now - this.outageTold < 1000) return;
    this.outageTold = now;
    this.logger.error(`Sessions: ${error.message}`, error);
  }
}

/** What the client gets while the storage is down. */
function unavailable(cause: Error): web.HTTPServiceUnavailable {
  return new web.HTTPServiceUnavailable({ headers: { 'Retry-After': '1' }, cause });
}
