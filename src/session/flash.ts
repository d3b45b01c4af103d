import type * as web from '../web/index.ts';
import type { Session } from './session.ts';
import { getSession } from './setup.ts';

/** A message for the next page that shows messages. */
export interface Flash {
  readonly message: string;
  /** For its looks: `'message'` unless told otherwise. */
  readonly category: string;
}

/** Where the messages are in a session. */
interface Flashes {
  _flashes?: readonly Flash[];
}

/** Messages that nobody looks at must not fill the session. */
const MOST = 20;

/**
 * Leaves a message for the next page that the visitor sees, usually after a redirect. At most 20 are kept, the newest.
 *
 * @param category - for its looks, `'message'` by default
 * @example
 * ```ts
 * await flash(request, 'Your post was saved.', 'success');
 * throw new web.HTTPSeeOther('/');
 * ```
 */
export async function flash(
  request: web.Request,
  message: string,
  category: string = 'message',
): Promise<void> {
  const session = await getSession<Flashes>(request);
  session.update('_flashes', (flashes = []) => [...flashes, { message, category }].slice(-MOST));
}

/**
 * The messages that were left for this visitor. They are taken out of the session; asked again in the same request it gives them again.
 *
 * @example
 * ```ts
 * const messages = await getFlashes(request);
 * const list = messages.map(({ category, message }) => `${category}: ${message}`);
 * ```
 */
export async function getFlashes(request: web.Request): Promise<readonly Flash[]> {
  return take(await getSession<Flashes>(request));
}

const shown = new WeakMap<object, readonly Flash[]>();

function take(session: Session<Flashes>): readonly Flash[] {
  const known = shown.get(session);
  if (known !== undefined) return known;
  const flashes = session.get('_flashes') ?? [];
  shown.set(session, flashes);
  if (flashes.length > 0) {
    const taken = new Set(flashes.map((one) => JSON.stringify(one)));
    // One that another request leaves meanwhile is for the next page.
    session.update('_flashes', (now = []) => {
      const rest = now.filter((one) => !taken.has(JSON.stringify(one)));
      return rest.length === 0 ? undefined : rest;
    });
  }
  return flashes;
}

/**
 * A context processor for templates: `session` is what the session holds, `get_flashed_messages()` the messages, which are taken out only when a template
 * calls it. A visitor without a cookie costs nothing.
 *
 * @example
 * ```ts
 * import * as jinja2 from 'aiohttp-ts/jinja2';
 * import { sessionProcessor } from 'aiohttp-ts/session';
 * import * as web from 'aiohttp-ts/web';
 * const app = new web.Application();
 * jinja2.setup(app, { loader: new jinja2.FileSystemLoader('templates'), contextProcessors: [sessionProcessor] });
 * ```
 */
export async function sessionProcessor(request: web.Request): Promise<Readonly<Record<string, unknown>>> {
  const session = await getSession<Flashes>(request);
  return { session: session.toJSON(), get_flashed_messages: () => take(session) };
}
