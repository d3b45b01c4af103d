import crypto from 'node:crypto';
import { PasswordHashError, wrongKind, wrongValue } from './errors.ts';
import {
  type Argon2Hash,
  formatPasswordHash,
  type PasswordHash,
  parsePasswordHash,
  type ScryptHash,
} from './password-hash.ts';
import { inTurn } from './password-places.ts';

/** Options of {@link hashPassword}, {@link verifyPassword} and {@link needsRehash}. */
export interface PasswordOptions {
  /**
   * How new hashes are made: `'argon2id'` (19 MiB, 2 passes) needs Node 24.7 or later; `'scrypt'` (16 MiB, N=2^14, r=8, p=5) runs
   * everywhere. The best that this Node has when left out. Name `'scrypt'` while machines with an older Node check the same passwords.
   */
  readonly algorithm?: PasswordAlgorithm | undefined;
}

/** Names of what makes new hashes; see {@link PasswordOptions.algorithm}. */
export type PasswordAlgorithm = 'argon2id' | 'scrypt';

/** Bytes of UTF-8. Nobody types more, and hashing without a bound would be work for an attacker to order. */
const longestPassword = 4096;

const saltSize = 16;
const keySize = 32;

const hasArgon2 = typeof crypto.argon2 === 'function';

// OWASP Password Storage Cheat Sheet: each of the two is its recommended setting, at 46–300 ms of one thread.
const recommended: {
  readonly argon2id: Omit<Argon2Hash, 'salt' | 'key'>;
  readonly scrypt: Omit<ScryptHash, 'salt' | 'key'>;
} = {
  argon2id: { kind: 'argon2id', memory: 19_456, passes: 2, parallelism: 1 },
  scrypt: { kind: 'scrypt', cost: 2 ** 14, blockSize: 8, parallelism: 5, foreign: false },
};

/**
 * Makes the hash of a password that is stored instead of it: a PHC string with its own salt and parameters, about 100 characters.
 * Computed on another thread; at most one less than libuv's thread pool has at once, the others wait in turn.
 *
 * The password is normalised (Unicode NFKC, NIST SP 800-63B §3.1.1.2), so that an é is an é from every keyboard.
 *
 * @param password 1 to 4096 bytes of UTF-8
 * @throws TypeError `AIO_PASSWORD` when it is no string, RangeError `AIO_PASSWORD` when it is empty or too long
 * @throws PasswordHashError `AIO_PASSWORD_UNSUPPORTED` when this Node has no argon2 and `algorithm` asks for it
 * @throws PasswordQueueFullError (503) when too many wait
 * @example
 * ```ts
 * const stored = await hashPassword('correct horse battery staple');
 * console.log(stored.startsWith('$')); // true
 * ```
 */
export async function hashPassword(password: string, options: PasswordOptions = {}): Promise<string> {
  const size = sizeOf(password);
  if (size === 0 || size > longestPassword) {
    throw wrongValue('AIO_PASSWORD', `A password has 1 to ${longestPassword} bytes, got ${size}.`);
  }
  const hash = template(algorithmOf(options), crypto.randomBytes(saltSize), crypto.randomBytes(keySize));
  return formatPasswordHash({ ...hash, key: await derive(bytesOf(password), hash) });
}

/**
 * Checks a password against a stored hash: one of {@link hashPassword}, or one of werkzeug (`scrypt:` and `pbkdf2:`), which most Python
 * applications have. The comparison takes the same time wherever the difference is.
 *
 * Call it with `undefined` when there is no such user: it works as long as for one that there is and answers `false`, so that the time
 * of an answer does not tell which names exist.
 *
 * @param options those that new hashes are made with: they say what the work for nobody costs
 * @returns whether the password is the right one
 * @throws TypeError `AIO_PASSWORD` when the password is no string
 * @throws PasswordHashError when the hash is damaged, asks for too much, or this Node cannot compute it
 * @throws PasswordQueueFullError (503) when too many wait
 * @example
 * ```ts
 * const users = new Map([['ada', await hashPassword('correct horse')]]);
 * if (!(await verifyPassword('guess', users.get('eve')))) console.log('wrong name or password');
 * ```
 */
export async function verifyPassword(
  password: string,
  hash: string | undefined,
  options: PasswordOptions = {},
): Promise<boolean> {
  const stored = hash === undefined ? nobodysHash(options) : parsePasswordHash(hash);
  const foreign = stored.kind === 'pbkdf2' || (stored.kind === 'scrypt' && stored.foreign);
  if (sizeOf(password) > longestPassword) return false;
  const key = await derive(foreign ? Buffer.from(password) : bytesOf(password), stored);
  return crypto.timingSafeEqual(key, stored.key) && hash !== undefined;
}

/**
 * Whether a hash is weaker than what {@link hashPassword} makes now, or of another system. Ask after a login that went well, when the password is at
 * hand, and store a new hash then.
 *
 * @throws PasswordHashError when the hash is damaged or asks for too much
 * @example
 * ```ts
 * if (needsRehash('pbkdf2:sha256:1000$salt$' + '00'.repeat(32))) console.log('store a new one');
 * ```
 */
export function needsRehash(hash: string, options: PasswordOptions = {}): boolean {
  const stored = parsePasswordHash(hash);
  if (stored.kind === 'pbkdf2') return true;
  const algorithm = algorithmOf(options);
  if (stored.kind === 'argon2id') {
    const { memory, passes } = recommended.argon2id;
    // A Node without argon2 leaves alone what one that has it made, unless it was told to.
    return options.algorithm === 'scrypt' || stored.memory < memory || stored.passes < passes;
  }
  const { cost, blockSize, parallelism } = recommended.scrypt;
  return (
    algorithm === 'argon2id' ||
    stored.foreign ||
    stored.cost * stored.blockSize * stored.parallelism < cost * blockSize * parallelism ||
    stored.cost < cost
  );
}

/** A hash that no password has, of what new hashes cost. */
function nobodysHash(options: PasswordOptions): PasswordHash {
  return template(algorithmOf(options), crypto.randomBytes(saltSize), crypto.randomBytes(keySize));
}

function template(algorithm: PasswordAlgorithm, salt: Uint8Array, key: Uint8Array): Argon2Hash | ScryptHash {
  return algorithm === 'argon2id'
    ? { ...recommended.argon2id, salt, key }
    : { ...recommended.scrypt, salt, key };
}

function algorithmOf({ algorithm }: PasswordOptions): PasswordAlgorithm {
  if (algorithm === undefined) return hasArgon2 ? 'argon2id' : 'scrypt';
  if (algorithm !== 'argon2id' && algorithm !== 'scrypt') {
    throw wrongValue('AIO_PASSWORD', `algorithm is 'argon2id' or 'scrypt', got '${String(algorithm)}'.`);
  }
  return algorithm;
}

/** Bytes of the text as it was given; normalising it takes time, and makes a few more. */
function sizeOf(password: string): number {
  if (typeof password !== 'string') {
    throw wrongKind(
      'AIO_PASSWORD',
      `A password is a string, got ${password === null ? 'null' : typeof password}.`,
    );
  }
  return Buffer.byteLength(password);
}

/** What is hashed. */
function bytesOf(password: string): Uint8Array {
  return Buffer.from(password.normalize('NFKC'));
}

function derive(password: Uint8Array, hash: PasswordHash): Promise<Uint8Array> {
  if (hash.kind === 'argon2id' && !hasArgon2) throw withoutArgon2();
  return inTurn(
    () =>
      new Promise<Uint8Array>((resolve, reject) => {
        compute(password, hash, (error, key) => (error === null ? resolve(key) : reject(error)));
      }),
  );
}

function compute(
  password: Uint8Array,
  hash: PasswordHash,
  done: (error: Error | null, key: Buffer) => void,
): void {
  const { salt, key } = hash;
  if (hash.kind === 'argon2id') {
    const { memory, passes, parallelism } = hash;
    crypto.argon2(
      'argon2id',
      { message: password, nonce: salt, memory, passes, parallelism, tagLength: key.length },
      done,
    );
  } else if (hash.kind === 'scrypt') {
    const { cost: N, blockSize: r, parallelism: p } = hash;
    // OpenSSL counts the p blocks and some more than the 128·N·r bytes that RFC 7914 names.
    crypto.scrypt(password, salt, key.length, { N, r, p, maxmem: 128 * r * (N + p + 2) + 4096 }, done);
  } else {
    crypto.pbkdf2(password, salt, hash.iterations, key.length, hash.digest, done);
  }
}

function withoutArgon2(): PasswordHashError {
  return new PasswordHashError(
    'AIO_PASSWORD_UNSUPPORTED',
    `Node ${process.version} cannot compute argon2id, Node 24.7 and later can: upgrade, or make hashes with { algorithm: 'scrypt' } as long as older ones check them.`,
  );
}
