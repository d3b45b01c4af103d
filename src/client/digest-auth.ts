import { randomBytes } from 'node:crypto';
import { codedRangeError } from '../message/index.ts';
import { parseChallenges } from './auth-challenge.ts';
import { httpOrigin } from './client-url.ts';
import { pathMatches } from './cookie-domain.ts';
import { type DigestChallenge, digestChallenge, digestResponse } from './digest-response.ts';
import { discard } from './discard.ts';
import type { ClientHandler, ClientMiddleware } from './middleware.ts';
import { ownOptions } from './own-options.ts';
import type { ClientRequest } from './request.ts';
import type { ClientResponse } from './response.ts';

/** Options of {@link DigestAuthMiddleware}. */
export interface DigestAuthOptions {
  /** Requests after the first one are sent with an answer to the last challenge, without waiting for another. Default `true`. */
  readonly preemptive?: boolean | undefined;
  /** The one origin that gets answers. Default: that of the first request. */
  readonly origin?: string | URL | undefined;
  /** Makes the client's nonce; for tests. Default: 16 random bytes. */
  readonly clientNonce?: (() => string) | undefined;
}

export interface DigestAuthMiddleware extends ClientMiddleware {}

/**
 * Answers Digest challenges (RFC 7616): MD5, SHA-256, SHA-512-256, their `-sess` kinds, and SHA-1 and SHA-512 as aiohttp has them; `auth`, `auth-int`,
 * and servers without `qop`; hashed names. A request is answered once, and once more is sent when the nonce went stale.
 *
 * Only one origin ever gets an answer, wherever redirects lead: from an answer a password can be guessed. The `domain` of a challenge
 * counts within that origin. A body that cannot be sent again is not, and the 401 is the response then.
 *
 * An instance is a middleware itself.
 *
 * Source: `aiohttp.DigestAuthMiddleware`.
 *
 * @example
 * ```ts
 * import { ClientSession, DigestAuthMiddleware } from 'aiohttp-ts/client';
 * await using session = new ClientSession({ middlewares: [new DigestAuthMiddleware('ada', 'secret')] });
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export class DigestAuthMiddleware {
  /** @throws RangeError `AIO_DIGEST_AUTH` for a login with a colon, which hashes cannot tell from the realm */
  constructor(login: string, password: string, options: DigestAuthOptions = {}) {
    if (login.includes(':')) {
      throw codedRangeError(
        'AIO_DIGEST_AUTH',
        'a login of Digest authentication holds no ":", the one given does',
      );
    }
    const state = new DigestAuth(login, password, ownOptions(options));
    const middleware: ClientMiddleware = (request, handler) => state.handle(request, handler);
    // biome-ignore lint/correctness/noConstructorReturn: middlewares are functions, and aiohttp's users write `new DigestAuthMiddleware(…)`
    return Object.setPrototypeOf(middleware, new.target.prototype) as DigestAuthMiddleware;
  }
}

class DigestAuth {
  readonly #login: string;
  readonly #password: string;
  readonly #preemptive: boolean;
  readonly #makeNonce: () => string;
  /** Of the `-sess` algorithms: one for all answers to a challenge, whose key is made of the first (RFC 7616 §3.4.2). */
  #sessionNonce: string | undefined;
  #origin: string | undefined;
  #challenge: DigestChallenge | undefined;
  /** Paths that the challenge is for. */
  #space: readonly string[];
  #count: number;

  constructor(login: string, password: string, options: DigestAuthOptions) {
    this.#login = login;
    this.#password = password;
    this.#preemptive = options.preemptive ?? true;
    this.#makeNonce = options.clientNonce ?? (() => randomBytes(16).toString('hex'));
    this.#sessionNonce = undefined;
    this.#origin = options.origin === undefined ? undefined : httpOrigin(new URL(options.origin).origin);
    this.#challenge = undefined;
    this.#space = [];
    this.#count = 0;
  }

  async handle(request: ClientRequest, handler: ClientHandler): Promise<ClientResponse> {
    const origin = httpOrigin(request.url.origin);
    this.#origin ??= origin;
    if (origin !== this.#origin || hasOtherAuthorization(request)) return await handler(request);
    const known = this.#challenge;
    if (this.#preemptive && known !== undefined && this.#isInSpace(request.target.path)) {
      await this.#answer(request, known);
    }
    const response = await handler(request);
    if (!this.#learn(response, request)) return response;
    const { body } = request;
    if (body !== undefined && !body.replayable) return response;
    await discard(response);
    await this.#answer(request, this.#challenge!);
    const answered = await handler(request);
    this.#learn(answered, request);
    return answered;
  }

  #isInSpace(path: string): boolean {
    return this.#space.some((prefix) => pathMatches(path, prefix));
  }

  async #answer(request: ClientRequest, challenge: DigestChallenge): Promise<void> {
    // No wait between counting and writing: every use of a nonce has its own number.
    const body = challenge.qop === 'auth-int' ? await bodyBytes(request) : undefined;
    const value = digestResponse(challenge, {
      login: this.#login,
      password: this.#password,
      method: request.method,
      uri: request.target.target,
      body,
      count: ++this.#count,
      clientNonce: challenge.session ? (this.#sessionNonce ??= this.#makeNonce()) : this.#makeNonce(),
    });
    request.headers.set('Authorization', value);
  }

  /** Takes over what the server wants; whether it refused the request for want of it. */
  #learn(response: ClientResponse, request: ClientRequest): boolean {
    if (response.status !== 401) {
      this.#takeNextNonce(response);
      return false;
    }
    const challenge = digestChallenge(parseChallenges(response.headers.getAll('www-authenticate')));
    if (challenge === undefined) return false;
    this.#challenge = challenge;
    this.#sessionNonce = undefined;
    this.#count = 0;
    this.#space = spaceOf(challenge, request);
    return true;
  }

  /** RFC 7616 §3.5. */
  #takeNextNonce(response: ClientResponse): void {
    const info = response.header('authentication-info');
    if (info === undefined || this.#challenge === undefined) return;
    const [fields] = parseChallenges([`info ${info}`]);
    const next = fields?.params.get('nextnonce');
    if (next === undefined || next === '' || next === this.#challenge.nonce) return;
    this.#challenge = { ...this.#challenge, nonce: next };
    this.#count = 0;
  }
}

/** The caller's own; an answer of ours may be there from a try before, or the request that redirected here. */
function hasOtherAuthorization({ headers }: ClientRequest): boolean {
  const value = headers.get('authorization');
  return value !== undefined && !value.startsWith('Digest ');
}

/** Paths of the protection space: of `domain`, in our origin only; all of the origin without (RFC 7616 §3.3). */
function spaceOf(challenge: DigestChallenge, request: ClientRequest): string[] {
  const { domain } = challenge;
  if (domain === undefined || domain.trim() === '') return ['/'];
  const paths: string[] = [];
  for (const uri of domain.trim().split(/\s+/)) {
    try {
      const { origin, pathname } = new URL(uri, request.url);
      if (httpOrigin(origin) === httpOrigin(request.url.origin)) paths.push(pathname);
    } catch {
      // Not a URL: it protects nothing.
    }
  }
  return paths;
}

async function bodyBytes(request: ClientRequest): Promise<Uint8Array | undefined> {
  const { body } = request;
  if (body === undefined) return undefined;
  const bytes = await body.asBytes();
  // A stream is consumed now; its bytes can be sent as often as needed.
  if (!body.replayable) request.updateBody(bytes);
  return bytes;
}
