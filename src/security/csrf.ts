import type * as web from '../web/index.ts';
import { isCsrfToken } from './csrf-token.ts';
import { CsrfError, wrongKind, wrongValue } from './errors.ts';
import { originsOf, sourceOf } from './request-origin.ts';

/** Options of {@link csrfMiddleware}. */
export interface CsrfOptions {
  /** Other origins whose pages may send requests that change something: `'https://app.example.com'`. */
  readonly trustedOrigins?: Iterable<string> | undefined;
  /**
   * When a request must have a token of its session: `'fallback'` (default), when neither `Sec-Fetch-Site` nor `Origin` says where it comes from;
   * `'always'`, in addition to them; `'never'`, for applications without sessions: what says nothing and has credentials is refused.
   */
  readonly token?: 'fallback' | 'always' | 'never' | undefined;
  /** The form field of the token. Default `'csrf_token'`. */
  readonly fieldName?: string | undefined;
  /** The header field of the token, for scripts. Default `'X-CSRF-Token'`. */
  readonly headerName?: string | undefined;
  /** Requests that are not looked at, such as those that other servers send and sign. */
  readonly exempt?: ((request: web.Request) => boolean) | undefined;
}

const EXEMPT = Symbol('aiohttp-ts/security csrf exempt');
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const forms: ReadonlySet<string> = new Set(['application/x-www-form-urlencoded', 'multipart/form-data']);

/**
 * Refuses, with 403, what pages of other sites make a browser send with this site's cookies (cross-site request forgery). Looked at is every request with
 * another method than GET, HEAD and OPTIONS, and every upgrade to WebSocket. What it says of its source decides: `Sec-Fetch-Site`, else `Origin`. A
 * request that says nothing comes from no browser of today: it may pass when it has no credentials that a browser adds by itself (cookies, Basic), or
 * when it has the token of {@link csrfToken} in its form or in a header. What has `Authorization: Bearer` and no cookies cannot be forged and passes.
 *
 * A token in a form means that the body is read before the handler runs, up to the application's `clientMaxSize`; one in the header
 * does not.
 *
 * @throws RangeError `AIO_CSRF_OPTION` for a trusted origin that is none, or an unknown `token`
 * @example
 * ```ts
 * app.middlewares.append(csrfMiddleware({ trustedOrigins: ['https://app.example.com'] }));
 * ```
 */
export function csrfMiddleware(options: CsrfOptions = {}): web.Middleware {
  const { token = 'fallback', fieldName = 'csrf_token', headerName = 'X-CSRF-Token', exempt } = options;
  if (token !== 'fallback' && token !== 'always' && token !== 'never') {
    throw wrongValue('AIO_CSRF_OPTION', `token is 'fallback', 'always' or 'never', got '${String(token)}'.`);
  }
  const trusted = originsOf(options.trustedOrigins ?? []);

  return (request, handler) => {
    const safe = safeMethods.has(request.method);
    if (safe && !request.headers.has('Upgrade')) return handler(request);
    if (handler[EXEMPT] === true || exempt?.(request) === true || isBearer(request)) return handler(request);
    const source = sourceOf(request, trusted);
    if (source === 'other') throw new CsrfError('AIO_CSRF_ORIGIN', 'it comes from a page of another site');
    if (safe) return handler(request);
    if (!needsToken(request, source === 'same', token)) return handler(request);
    if (token === 'never') throw new CsrfError('AIO_CSRF_ORIGIN', 'it does not say where it comes from');
    return checkToken(request, handler, fieldName, headerName);
  };
}

/** Whether the request has a bearer's token and nothing else that says who sends it. No browser adds one by itself: who sends it has it. */
function isBearer({ headers }: web.Request): boolean {
  return /^Bearer /i.test(headers.get('Authorization') ?? '') && !headers.has('Cookie');
}

function needsToken({ headers }: web.Request, same: boolean, when: 'fallback' | 'always' | 'never'): boolean {
  return when === 'always' || (!same && (headers.has('Cookie') || headers.has('Authorization')));
}

async function checkToken(
  request: web.Request,
  handler: web.NextHandler,
  fieldName: string,
  headerName: string,
): Promise<web.StreamResponse> {
  const token = request.headers.get(headerName) ?? (await formToken(request, fieldName));
  if (await isCsrfToken(request, token)) return handler(request);
  throw new CsrfError(
    'AIO_CSRF_TOKEN',
    token === undefined ? 'it has no token' : 'its token is not one of this session',
  );
}

async function formToken(request: web.Request, name: string): Promise<string | undefined> {
  if (!forms.has(request.contentType)) return undefined;
  const field = (await request.post()).get(name);
  return typeof field === 'string' ? field : undefined;
}

/**
 * Marks a handler, or a view, that {@link csrfMiddleware} shall not look at, because it has other means to know who calls it: a webhook with
 * a signature, for example. It is marked for all routes that use it.
 *
 * @returns the same handler
 * @throws TypeError `AIO_CSRF_OPTION` when it is no function
 * @example
 * ```ts
 * app.addRoutes([web.post('/hooks/payment', csrfExempt(async (request) => new web.Response({ text: await request.text() })))]);
 * ```
 */
export function csrfExempt<H extends web.RouteHandler<never>>(handler: H): H {
  if (typeof handler !== 'function')
    throw wrongKind('AIO_CSRF_OPTION', `csrfExempt() marks a handler, got ${typeof handler}.`);
  (handler as unknown as Record<symbol, unknown>)[EXEMPT] = true;
  return handler;
}
