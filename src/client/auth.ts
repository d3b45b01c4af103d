import { codedRangeError } from '../message/index.ts';
import { httpOrigin } from './client-url.ts';
import { discard } from './discard.ts';
import type { ClientMiddleware } from './middleware.ts';
import type { ClientRequest } from './request.ts';

/**
 * A name and a password for Basic authentication (RFC 7617), in UTF-8.
 *
 * Source: `aiohttp.BasicAuth`.
 *
 * @example
 * ```ts
 * import { BasicAuth, ClientSession } from 'aiohttp-ts/client';
 * await using session = new ClientSession({ headers: { Authorization: new BasicAuth('ada', 'secret').encode() } });
 * ```
 */
export class BasicAuth {
  readonly login: string;
  readonly password: string;

  /** @throws RangeError `AIO_BASIC_AUTH` for a name with a colon, which nobody could tell from the password */
  constructor(login: string, password: string = '') {
    if (login.includes(':')) {
      throw codedRangeError(
        'AIO_BASIC_AUTH',
        'a login of Basic authentication holds no ":" (RFC 7617 section 2), the one given does',
      );
    }
    this.login = login;
    this.password = password;
  }

  /**
   * Reads the value of an Authorization field.
   *
   * @throws RangeError `AIO_BASIC_AUTH` when it is no Basic authentication
   */
  static decode(field: string): BasicAuth {
    const token = /^basic +([A-Za-z0-9+/]+={0,2})[ \t]*$/i.exec(field)?.[1];
    const text = token === undefined ? '' : Buffer.from(token, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon === -1) {
      throw codedRangeError(
        'AIO_BASIC_AUTH',
        'this is no value of an Authorization field of Basic authentication',
      );
    }
    return new BasicAuth(text.slice(0, colon), text.slice(colon + 1));
  }

  /** Value of an Authorization field. */
  encode(): string {
    return `Basic ${Buffer.from(`${this.login}:${this.password}`, 'utf8').toString('base64')}`;
  }
}

/**
 * Sends a name and a password with every request (RFC 7617) that has no Authorization of its own. A redirect to another origin does
 * not get them.
 *
 * @throws RangeError `AIO_BASIC_AUTH` for a name with a colon
 *
 * @example
 * ```ts
 * import { basicAuth, ClientSession } from 'aiohttp-ts/client';
 * await using session = new ClientSession({ baseUrl: 'https://api.example/', middlewares: [basicAuth('ada', 'secret')] });
 * ```
 */
export function basicAuth(login: string, password?: string): ClientMiddleware {
  const value = new BasicAuth(login, password).encode();
  return async (request, handler) => {
    authorize(request, value);
    return await handler(request);
  };
}

/**
 * Gives the token for a request.
 * @param refused the token that the server answered with 401, when there was one: time for a new one
 */
export type TokenSource = (refused: string | undefined) => string | Promise<string>;

/**
 * Sends a bearer token (RFC 6750) with every request that has no Authorization of its own. A function is asked for the token each time;
 * when the server answers 401 it is asked for another one, and the request is sent once more. A redirect to another origin
 * does not get the token.
 *
 * @throws RangeError `AIO_BEARER_TOKEN` for a token that is none
 *
 * @example
 * ```ts
 * import { bearerAuth, ClientSession } from 'aiohttp-ts/client';
 * await using session = new ClientSession({ middlewares: [bearerAuth(process.env['TOKEN'] ?? '')] });
 * ```
 */
export function bearerAuth(token: string | TokenSource): ClientMiddleware {
  if (typeof token === 'string') checkToken(token);
  const source: TokenSource = typeof token === 'string' ? () => token : token;
  const sent = new WeakMap<ClientRequest, string>();
  const authorizeBy = (request: ClientRequest, accepted: string): void => {
    const value = `Bearer ${accepted}`;
    sent.set(request, value);
    request.headers.set('Authorization', value);
  };
  return async (request, handler) => {
    // Ours may be there from a try before.
    const given = request.headers.get('authorization');
    if (!isFirstOrigin(request) || (given !== undefined && given !== sent.get(request)))
      return await handler(request);
    const first = checkToken(await source(undefined));
    authorizeBy(request, first);
    const response = await handler(request);
    if (response.status !== 401 || typeof token === 'string' || request.body?.replayable === false)
      return response;
    const next = checkToken(await source(first));
    if (next === first) return response;
    await discard(response);
    authorizeBy(request, next);
    return await handler(request);
  };
}

/** Whether a request goes where its caller sent it, and not by a redirect to somebody else: who gets credentials. */
export function isFirstOrigin(request: ClientRequest): boolean {
  const [first] = request.history;
  return first === undefined || httpOrigin(first.url.origin) === httpOrigin(request.url.origin);
}

function authorize(request: ClientRequest, value: string): void {
  const { headers } = request;
  if (isFirstOrigin(request) && !headers.has('authorization')) headers.set('Authorization', value);
}

/** @throws RangeError `AIO_BEARER_TOKEN`, without the token */
function checkToken(token: string): string {
  if (typeof token === 'string' && /^[A-Za-z0-9\-._~+/]+=*$/.test(token)) return token;
  throw codedRangeError(
    'AIO_BEARER_TOKEN',
    'a bearer token is made of letters, digits and -._~+/ with = at its end (RFC 6750 section 2.1)',
  );
}
