import { KeyObject } from 'node:crypto';
import { wrongOption } from './errors.ts';
import { Fernet } from './fernet.ts';
import { Sealer, unpack } from './sealing.ts';
import type { CookieContext, CookieStorage, OpenedCookie } from './storage.ts';

/** 32 secret bytes: as bytes, as base64 (also of the URL kind) or 64 hexadecimal digits, or a secret `KeyObject`. */
export type CookieKey = string | Uint8Array | KeyObject;

/** Options of {@link EncryptedCookieStorage}. */
export interface EncryptedCookieOptions {
  /**
   * What cookies are written as: `'gcm'` (default, AES-256-GCM bound to the cookie's name) or `'fernet'`, which aiohttp-session reads. Both are
   * read in any case.
   */
  readonly format?: 'gcm' | 'fernet' | undefined;
}

interface RingKey {
  readonly bytes: Buffer;
  readonly fernet: Fernet;
}

/**
 * Sessions in their cookies, encrypted and signed. Nothing is kept on the server, so **nothing can be taken back**: `invalidate()` makes the browser forget
 * the cookie, but a copy of it stays valid until it expires; of two answers at once the later one wins; and about 3 KB are all that fits. The option `epochOf` of
 * `setup` ends the sessions of a user by a number in your database.
 *
 * aiohttp-session: `EncryptedCookieStorage`, whose cookies it reads and, with `format: 'fernet'`, writes.
 *
 * @example
 * ```ts
 * // node -p "require('node:crypto').randomBytes(32).toString('base64url')"
 * const keys = (process.env.SESSION_KEYS ?? '').split(','); // the present one first, then old ones
 * if (keys[0] !== '') setup(app, new EncryptedCookieStorage(keys));
 * ```
 */
export class EncryptedCookieStorage implements CookieStorage {
  readonly kind: 'cookie' = 'cookie';
  readonly #ring: readonly RingKey[];
  readonly #format: 'gcm' | 'fernet';
  /** By the cookie's name: there is one for http and one for https. */
  readonly #sealers = new Map<string, readonly Sealer[]>();

  /**
   * @param keys - the key, or several: the first seals, all open, and what an old one sealed is sealed anew with the next answer
   * @throws RangeError `AIO_SESSION_SETTING` for no keys, or one that is not 32 bytes
   */
  constructor(keys: CookieKey | readonly CookieKey[], options: EncryptedCookieOptions = {}) {
    const list = (Array.isArray(keys) ? keys : [keys]) as readonly CookieKey[];
    if (list.length === 0) throw wrongOption('EncryptedCookieStorage needs at least one key.');
    this.#ring = list.map((key) => {
      const bytes = keyBytes(key);
      return { bytes, fernet: new Fernet(bytes) };
    });
    const { format = 'gcm' } = options;
    if (format !== 'gcm' && format !== 'fernet') {
      throw wrongOption(`format must be 'gcm' or 'fernet', got ${JSON.stringify(format)}.`);
    }
    this.#format = format;
  }

  seal(value: string, context: CookieContext, expires: number): string {
    if (this.#format === 'fernet') return this.#ring[0]!.fernet.seal(value, context.now);
    return this.#sealersFor(context.cookieName)[0]!.seal(value, context.now, expires);
  }

  open(cookie: string, context: CookieContext): OpenedCookie | undefined {
    return this.#openSealed(cookie, context) ?? this.#openFernet(cookie, context);
  }

  #openSealed(cookie: string, { cookieName, now }: CookieContext): OpenedCookie | undefined {
    const packed = unpack(cookie);
    if (packed === undefined) return undefined;
    for (const [index, sealer] of this.#sealersFor(cookieName).entries()) {
      if (sealer.keyId !== packed.keyId) continue;
      const opened = sealer.open(packed.bytes);
      if (opened === undefined) continue;
      if (opened.expires <= now || opened.issued > now + CLOCK_SKEW) return undefined;
      const outdated = index > 0 || this.#format !== 'gcm';
      return { value: opened.text, issued: opened.issued, outdated };
    }
    return undefined;
  }

  #openFernet(cookie: string, { now }: CookieContext): OpenedCookie | undefined {
    // The first byte, 0x80, and the four zeros of the time make this the beginning of every token.
    if (!cookie.startsWith('gAAAAA')) return undefined;
    for (const [index, { fernet }] of this.#ring.entries()) {
      const opened = fernet.open(cookie);
      if (opened === undefined) continue;
      if (opened.time > now + CLOCK_SKEW) return undefined;
      const outdated = index > 0 || this.#format !== 'fernet';
      return { value: opened.text, issued: opened.time, outdated };
    }
    return undefined;
  }

  #sealersFor(cookieName: string): readonly Sealer[] {
    let sealers = this.#sealers.get(cookieName);
    if (sealers === undefined) {
      sealers = this.#ring.map(({ bytes }) => new Sealer(bytes, cookieName));
      this.#sealers.set(cookieName, sealers);
    }
    return sealers;
  }
}

/** How far the clock of another server may be ahead, in ms; as in Fernet's reference. */
const CLOCK_SKEW = 60_000;

function keyBytes(key: CookieKey): Buffer {
  let bytes: Buffer | undefined;
  if (key instanceof KeyObject) bytes = key.type === 'secret' ? key.export() : undefined;
  else if (key instanceof Uint8Array) bytes = Buffer.from(key);
  else if (typeof key === 'string') {
    if (/^[0-9a-fA-F]{64}$/.test(key)) bytes = Buffer.from(key, 'hex');
    else if (/^[A-Za-z0-9+/_-]{43}=?$/.test(key)) bytes = Buffer.from(key, 'base64url');
  }
  if (bytes?.length === 32) return bytes;
  throw wrongOption(
    'A cookie key is 32 secret bytes: a Uint8Array, a secret KeyObject, or text in base64 (43 characters) or hexadecimal (64). Make one with ' +
      `node -p "require('node:crypto').randomBytes(32).toString('base64url')".`,
  );
}
