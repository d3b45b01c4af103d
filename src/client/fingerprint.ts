import { createHash, timingSafeEqual } from 'node:crypto';
import { codedRangeError } from '../message/index.ts';

/**
 * Pins a server's certificate: given as `ssl`, connections are made only to a server whose certificate (DER) has this SHA-256
 * digest. The pin takes the place of the check against authorities and host name, so it serves for self-signed certificates too.
 *
 * Source: `aiohttp.Fingerprint`.
 *
 * @example
 * ```ts
 * const pin = new Fingerprint('AB:CD:' + '00:'.repeat(29) + 'EF');
 * console.log(pin.digest.length); // 32
 * ```
 */
export class Fingerprint {
  /** The 32 bytes. */
  readonly digest: Uint8Array;

  /**
   * @param digest 32 bytes, or as hexadecimal text with or without colons (as `openssl x509 -fingerprint -sha256` prints it)
   * @throws RangeError `AIO_FINGERPRINT_DIGEST` for another length: MD5 and SHA-1 are not accepted
   */
  constructor(digest: Uint8Array | string) {
    const bytes = Uint8Array.from(typeof digest === 'string' ? fromHex(digest) : digest);
    if (bytes.length !== 32) {
      throw codedRangeError(
        'AIO_FINGERPRINT_DIGEST',
        `a fingerprint is the SHA-256 digest of a certificate, 32 bytes; got ${bytes.length} bytes${weakName(bytes.length)}`,
      );
    }
    this.digest = bytes;
  }

  /** Whether a certificate (DER) is the pinned one. */
  matches(certificate: Uint8Array): boolean {
    return timingSafeEqual(digestOf(certificate), this.digest);
  }
}

/** The SHA-256 digest of a certificate. */
export function digestOf(certificate: Uint8Array): Buffer {
  return createHash('sha256').update(certificate).digest();
}

function fromHex(text: string): Uint8Array {
  const digits = text.replaceAll(':', '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) {
    throw codedRangeError('AIO_FINGERPRINT_DIGEST', 'a fingerprint is given as bytes or as hexadecimal text');
  }
  return Buffer.from(digits, 'hex');
}

function weakName(length: number): string {
  if (length === 16) return ' (MD5 is insecure)';
  return length === 20 ? ' (SHA-1 is insecure)' : '';
}
