import { createHmac, createSecretKey, KeyObject, timingSafeEqual } from 'node:crypto';
import { wrongKind, wrongValue } from './errors.ts';

/** A secret: at least 32 bytes, or a string of at least 32 characters that nobody can guess, such as `openssl rand -base64 32` prints. */
export type Secret = string | Uint8Array | KeyObject;

/** Bytes that a secret must have: as many as SHA-256 gives (RFC 7518 §3.2). */
const shortest = 32;

/**
 * The key of a secret. It is made once: a `KeyObject` spares Node 24 three quarters of the time of every signature.
 *
 * @throws TypeError or RangeError `AIO_SECURITY_SECRET`
 */
export function keyOf(secret: Secret, least: number = shortest): KeyObject {
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array) && !(secret instanceof KeyObject)) {
    throw wrongKind(
      'AIO_SECURITY_SECRET',
      `A secret is a string, bytes or a KeyObject, got ${typeof secret}.`,
    );
  }
  const key = secret instanceof KeyObject ? secret : createSecretKey(Buffer.from(secret as string));
  if (key.type !== 'secret') throw wrongKind('AIO_SECURITY_SECRET', `A secret cannot be a ${key.type} key.`);
  const size = key.symmetricKeySize ?? 0;
  if (size >= least) return key;
  throw wrongValue(
    'AIO_SECURITY_SECRET',
    `A secret must have at least ${least} bytes, got ${size}: openssl rand -base64 ${least}`,
  );
}

/** Whether `signature` is the HMAC of `text`, compared in constant time. */
export function isSignedBy(digest: string, key: KeyObject, text: string, signature: string): boolean {
  const expected = Buffer.from(createHmac(digest, key).update(text).digest('base64url'));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
