import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/*
 * version (1 byte) | key id (1) | nonce (12) | ciphertext | tag (16), in base64url. Version and the cookie's name are signed too (AAD), so that the
 * value of one cookie is none of another. The plaintext begins with two times in seconds: when it was sealed, and when it ends.
 */
const VERSION = 1;
const HEAD = 14;
const TAG = 16;
const TIMES = 12;
/** In the place of the end of what has none: later than any date. */
const NEVER = 2 ** 48 - 1;

/** What a sealed text held. Times are ms since 1970. */
export interface Unsealed {
  readonly text: string;
  readonly issued: number;
  /** `Infinity`: never. */
  readonly expires: number;
}

/** Seals texts with AES-256-GCM under one key. A key is good for 2^32 seals (NIST SP 800-38D §8.3): change it every few months. */
export class Sealer {
  readonly keyId: number;
  private readonly key: KeyObject;
  private readonly cookieName: string;
  private readonly associated: Buffer;

  /** @param key - 32 bytes */
  constructor(key: Uint8Array, cookieName: string) {
    this.key = createSecretKey(key);
    this.keyId = createHash('sha256').update('aiohttp-ts key id').update(key).digest()[0]!;
    this.cookieName = cookieName;
    this.associated = Buffer.from(`\x01${this.cookieName}`);
  }

  seal(text: string, issued: number, expires: number): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG });
    cipher.setAAD(this.associated);
    const times = Buffer.allocUnsafe(TIMES);
    times.writeUIntBE(Math.floor(issued / 1000), 0, 6);
    times.writeUIntBE(Number.isFinite(expires) ? Math.ceil(expires / 1000) : NEVER, 6, 6);
    const sealed = [
      Buffer.from([VERSION, this.keyId]),
      nonce,
      cipher.update(times),
      cipher.update(text, 'utf8'),
      cipher.final(),
    ];
    return Buffer.concat([...sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** `undefined` when it was not sealed by this key for this cookie, or was changed. */
  open(bytes: Buffer): Unsealed | undefined {
    const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(2, HEAD), {
      authTagLength: TAG,
    });
    decipher.setAAD(this.associated);
    decipher.setAuthTag(bytes.subarray(-TAG));
    let plain: Buffer;
    try {
      plain = Buffer.concat([decipher.update(bytes.subarray(HEAD, -TAG)), decipher.final()]);
    } catch {
      return undefined;
    }
    const end = plain.readUIntBE(6, 6);
    return {
      text: plain.toString('utf8', TIMES),
      issued: plain.readUIntBE(0, 6) * 1000,
      expires: end === NEVER ? Number.POSITIVE_INFINITY : end * 1000,
    };
  }
}

/** The bytes of a sealed text, with the id of its key; `undefined` when it cannot be one. */
export function unpack(cookie: string): { readonly bytes: Buffer; readonly keyId: number } | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(cookie)) return undefined;
  const bytes = Buffer.from(cookie, 'base64url');
  if (bytes.length < HEAD + TIMES + TAG || bytes[0] !== VERSION) return undefined;
  // One form only: the bits that no byte uses are 0.
  if (bytes.toString('base64url') !== cookie) return undefined;
  return { bytes, keyId: bytes[1]! };
}
