import { createHmac, type KeyObject } from 'node:crypto';
import type * as web from '../web/index.ts';
import { wrongValue } from './errors.ts';
import { AbstractIdentityPolicy } from './policies.ts';
import { isSignedBy, keyOf, type Secret } from './secret-key.ts';

/** Options of {@link JWTIdentityPolicy}. */
export interface JWTIdentityOptions {
  /** The one algorithm that is accepted, whatever a token says. Default `'HS256'`. */
  readonly algorithm?: 'HS256' | 'HS384' | 'HS512' | undefined;
  /** The claim that holds the identity. Default `'login'`. */
  readonly key?: string | undefined;
  /** The `iss` that a token must have; not looked at when left out. */
  readonly issuer?: string | undefined;
  /** What must be in a token's `aud`; not looked at when left out. */
  readonly audience?: string | undefined;
  /** Milliseconds by which clocks may differ. Default 0. */
  readonly leeway?: number | undefined;
}

/** Options of {@link JWTIdentityPolicy.issue}. */
export interface IssueOptions {
  /** Milliseconds until the token ends. Default one hour. */
  readonly maxAge?: number | undefined;
  /** Further claims. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

const algorithms = { HS256: ['sha256', 32], HS384: ['sha384', 48], HS512: ['sha512', 64] } as const;

/** Longer ones are not looked at: heads may be longer than any token. */
const longestToken = 8192;

/**
 * The identity in a JSON Web Token (RFC 7519) that comes as `Authorization: Bearer …`: for programs, not for pages. The algorithm is the
 * policy's and never the token's; `exp` and `nbf` are kept. A token that is wrong in whatever way is nobody's (aiohttp_security: an error 500).
 *
 * A token counts until its end, whatever happens: keep `maxAge` short, and let the authorization policy look whether the user is still there.
 *
 * aiohttp_security: `JWTIdentityPolicy`.
 *
 * @example
 * ```ts
 * const policy = new JWTIdentityPolicy(process.env['JWT_SECRET'] ?? 'only for development: 32 bytes of it');
 * app.router.addPost('/token', async () => web.jsonResponse({ token: policy.issue('42') }));
 * ```
 */
export class JWTIdentityPolicy extends AbstractIdentityPolicy {
  override readonly challenge: string = 'Bearer';
  readonly #digest: string;
  readonly #key: KeyObject;
  readonly #options: JWTIdentityOptions;
  readonly #claim: string;

  /**
   * @param secret as many bytes as the algorithm's hash has, at least (RFC 7518 §3.2)
   * @throws TypeError or RangeError `AIO_SECURITY_SECRET`, RangeError `AIO_SECURITY_POLICY` for an unknown algorithm
   */
  constructor(secret: Secret, options: JWTIdentityOptions = {}) {
    super();
    const { algorithm = 'HS256', key = 'login' } = options;
    if (!Object.hasOwn(algorithms, algorithm)) {
      throw wrongValue(
        'AIO_SECURITY_POLICY',
        `algorithm is HS256, HS384 or HS512, got '${String(algorithm)}'.`,
      );
    }
    const [digest, size] = algorithms[algorithm];
    this.#digest = digest;
    this.#key = keyOf(secret, size);
    this.#options = { ...options, algorithm };
    this.#claim = key;
  }

  identify(request: web.Request): string | undefined {
    const token = /^Bearer +([\w.-]+)$/i.exec(request.headers.get('Authorization') ?? '')?.[1];
    if (token === undefined || token.length > longestToken) return undefined;
    const [header = '', payload = '', signature = '', ...more] = token.split('.');
    if (more.length > 0) return undefined;
    // The signature first: nothing of a token that nobody signed is parsed.
    if (!isSignedBy(this.#digest, this.#key, `${header}.${payload}`, signature)) return undefined;
    const head = decode(header);
    // RFC 7515 §4.1.11: who does not know what is critical must refuse.
    if (head === undefined || head['alg'] !== this.#options.algorithm || Object.hasOwn(head, 'crit')) {
      return undefined;
    }
    const claims = decode(payload);
    if (claims === undefined || !this.#counts(claims) || !Object.hasOwn(claims, this.#claim))
      return undefined;
    const identity = claims[this.#claim];
    return typeof identity === 'string' && identity !== '' ? identity : undefined;
  }

  #counts(claims: Readonly<Record<string, unknown>>): boolean {
    const { issuer, audience, leeway = 0 } = this.#options;
    const now = Date.now() / 1000;
    const { exp, nbf, iss, aud } = claims;
    if (exp !== undefined && !(typeof exp === 'number' && now < exp + leeway / 1000)) return false;
    if (nbf !== undefined && !(typeof nbf === 'number' && now >= nbf - leeway / 1000)) return false;
    if (issuer !== undefined && iss !== issuer) return false;
    return audience === undefined || aud === audience || (Array.isArray(aud) && aud.includes(audience));
  }

  /** A token for an identity, for the client to keep. */
  issue(identity: string, options: IssueOptions = {}): string {
    const { algorithm, issuer, audience } = this.#options;
    const { maxAge = 3_600_000, claims } = options;
    if (!Number.isFinite(maxAge) || maxAge <= 0) {
      throw wrongValue(
        'AIO_SECURITY_POLICY',
        `maxAge is a number of milliseconds above 0, got ${String(maxAge)}.`,
      );
    }
    const now = Date.now();
    const iat = Math.floor(now / 1000);
    const exp = Math.ceil((now + maxAge) / 1000);
    const payload: Record<string, unknown> = {
      ...claims,
      iss: issuer,
      aud: audience,
      iat,
      exp,
      [this.#claim]: identity,
    };
    const text = `${encode({ alg: algorithm, typ: 'JWT' })}.${encode(payload)}`;
    return `${text}.${createHmac(this.#digest, this.#key).update(text).digest('base64url')}`;
  }

  /** @throws Error always: a client cannot be made to send a token. Hand out one of {@link issue}. */
  remember(): void {
    throw Object.assign(
      new Error('A JWTIdentityPolicy cannot remember: hand out policy.issue(identity) to the client.'),
      {
        code: 'AIO_SECURITY_POLICY',
      },
    );
  }

  /** Does nothing: the client throws its token away. */
  forget(): void {}
}

function encode(value: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
