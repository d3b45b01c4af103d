import { PasswordHashError } from './errors.ts';

/** What a stored hash says: how it was computed, and the outcome. */
export type PasswordHash = Argon2Hash | ScryptHash | Pbkdf2Hash;

/** `$argon2id$v=19$m=19456,t=2,p=1$salt$key` (RFC 9106). */
export interface Argon2Hash {
  readonly kind: 'argon2id';
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

/** `$scrypt$ln=14,r=8,p=5$salt$key` (RFC 7914). */
export interface ScryptHash {
  readonly kind: 'scrypt';
  /** N, a power of two. */
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
  /** Whether werkzeug made it. */
  readonly foreign: boolean;
}

/** `pbkdf2:sha256:600000$salt$hex`, as werkzeug writes it (RFC 8018). */
export interface Pbkdf2Hash {
  readonly kind: 'pbkdf2';
  readonly digest: string;
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

// What a stored hash may ask for. Whoever can write one row of the users' table must not be able to stop the server with it.
const longestHash = 512;
const mostMemory = 256 * 1024; // KiB
const mostPasses = 32;
const mostArgon2Work = 2 * 1024 * 1024; // KiB × passes
const mostParallelism = 16;
const mostScryptWork = 8 * 1024 * 1024; // N × r × p
const mostIterations = 5_000_000;

/**
 * Reads a stored hash and checks that computing it is bounded.
 *
 * @throws PasswordHashError
 */
export function parsePasswordHash(text: string): PasswordHash {
  if (typeof text !== 'string') throw damaged(`a password hash is a string, got ${typeof text}`);
  if (text.length > longestHash) throw damaged(`a password hash of ${text.length} characters`);
  const parts = text.split('$');
  if (parts[0] === '' && parts[1] === 'argon2id' && parts.length === 6) return argon2Of(parts);
  if (parts[0] === '' && parts[1] === 'scrypt' && parts.length === 5) return scryptOf(parts);
  if (parts.length === 3) {
    const method = parts[0]!.split(':');
    if (method[0] === 'scrypt' && method.length === 4) return werkzeugScryptOf(method, parts[1]!, parts[2]!);
    if (method[0] === 'pbkdf2' && method.length === 3) return pbkdf2Of(method, parts[1]!, parts[2]!);
  }
  throw damaged('the hash is none of $argon2id$, $scrypt$, and werkzeug’s scrypt: and pbkdf2:');
}

/** The text of a hash of ours, in the PHC string format. */
export function formatPasswordHash(hash: Argon2Hash | ScryptHash): string {
  const end = `${encode(hash.salt)}$${encode(hash.key)}`;
  return hash.kind === 'argon2id'
    ? `$argon2id$v=19$m=${hash.memory},t=${hash.passes},p=${hash.parallelism}$${end}`
    : `$scrypt$ln=${Math.log2(hash.cost)},r=${hash.blockSize},p=${hash.parallelism}$${end}`;
}

function argon2Of(parts: readonly string[]): Argon2Hash {
  if (parts[2] !== 'v=19') throw damaged(`argon2 of another version than 19 (${parts[2]!.slice(0, 20)})`);
  const [memory, passes, parallelism] = parameters(parts[3]!, /^m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})$/);
  const { salt, key } = saltAndKey(parts[4]!, parts[5]!);
  if (passes < 1 || parallelism < 1 || memory < 8 * parallelism) {
    throw damaged('argon2 parameters that RFC 9106 §3.1 does not allow');
  }
  if (
    memory > mostMemory ||
    passes > mostPasses ||
    parallelism > mostParallelism ||
    memory * passes > mostArgon2Work
  ) {
    throw tooCostly(`m=${memory},t=${passes},p=${parallelism}`);
  }
  if (salt.length < 8) throw damaged('an argon2 salt of fewer than 8 bytes');
  return { kind: 'argon2id', memory, passes, parallelism, salt, key };
}

function scryptOf(parts: readonly string[]): ScryptHash {
  const [log, blockSize, parallelism] = parameters(parts[2]!, /^ln=(\d{1,2}),r=(\d{1,10}),p=(\d{1,10})$/);
  if (log > 30) throw tooCostly(`ln=${log}`);
  const { salt, key } = saltAndKey(parts[3]!, parts[4]!);
  return boundedScrypt({ cost: 2 ** log, blockSize, parallelism, salt, key, foreign: false });
}

function werkzeugScryptOf(method: readonly string[], salt: string, hex: string): ScryptHash {
  const [cost, blockSize, parallelism] = parameters(
    method.slice(1).join(':'),
    /^(\d{1,10}):(\d{1,10}):(\d{1,10})$/,
  );
  if (cost < 2 || !Number.isInteger(Math.log2(cost)))
    throw damaged(`scrypt with N=${cost}, no power of two above 1`);
  return boundedScrypt({ cost, blockSize, parallelism, ...werkzeugEnd(salt, hex), foreign: true });
}

function boundedScrypt(hash: Omit<ScryptHash, 'kind'>): ScryptHash {
  const { cost, blockSize, parallelism } = hash;
  if (cost < 2 || blockSize < 1 || parallelism < 1)
    throw damaged('scrypt parameters that RFC 7914 §2 does not allow');
  if (
    (cost * blockSize) / 8 > mostMemory ||
    parallelism > mostParallelism ||
    cost * blockSize * parallelism > mostScryptWork
  ) {
    throw tooCostly(`N=${cost},r=${blockSize},p=${parallelism}`);
  }
  return { kind: 'scrypt', ...hash };
}

const digestSizes: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha512: 64 };

function pbkdf2Of(method: readonly string[], salt: string, hex: string): Pbkdf2Hash {
  const digest = method[1]!;
  const [iterations] = parameters(method[2]!, /^(\d{1,10})$/);
  const end = werkzeugEnd(salt, hex);
  if (iterations < 1 || digestSizes[digest] !== end.key.length)
    throw damaged(`pbkdf2 with ${digest.slice(0, 20)}`);
  if (iterations > mostIterations) throw tooCostly(`${iterations} iterations`);
  return { kind: 'pbkdf2', digest, iterations, ...end };
}

/** Werkzeug's salt is text and stands for its own bytes. */
function werkzeugEnd(salt: string, hex: string): { salt: Uint8Array; key: Uint8Array } {
  if (salt === '') throw damaged('a hash without salt');
  if (!/^(?:[0-9a-f]{2}){16,64}$/.test(hex)) throw damaged('a key that is not hexadecimal');
  return { salt: Buffer.from(salt), key: Buffer.from(hex, 'hex') };
}

function parameters(text: string, pattern: RegExp): [number, number, number] {
  const match = pattern.exec(text);
  if (match === null) throw damaged(`parameters '${text.slice(0, 60)}'`);
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
}

function saltAndKey(salt: string, key: string): { salt: Uint8Array; key: Uint8Array } {
  const decoded = { salt: decode(salt), key: decode(key) };
  if (decoded.salt.length < 1 || decoded.salt.length > 128) throw damaged('a salt of a wrong length');
  if (decoded.key.length < 16 || decoded.key.length > 128) throw damaged('a key of a wrong length');
  return decoded;
}

/** The PHC format's base64: the standard alphabet without padding. */
function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

function decode(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (encode(bytes) !== text) throw damaged('a salt or key that is not base64');
  return bytes;
}

function damaged(what: string): PasswordHashError {
  return new PasswordHashError('AIO_PASSWORD_HASH', `This is no password hash that can be checked: ${what}.`);
}

function tooCostly(what: string): PasswordHashError {
  return new PasswordHashError(
    'AIO_PASSWORD_COST',
    `The password hash asks for more than is allowed (256 MiB of memory, a few seconds): ${what}.`,
  );
}
