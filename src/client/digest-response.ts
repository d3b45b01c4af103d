import { createHash } from 'node:crypto';
import { quoteString } from '../message/index.ts';
import type { Challenge } from './auth-challenge.ts';

/** Hash functions by the name in a challenge (RFC 7616 §3.3, and those that aiohttp has besides). */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5'],
  ['sha', 'sha1'],
  ['sha-256', 'sha256'],
  ['sha256', 'sha256'],
  ['sha-512', 'sha512'],
  ['sha512', 'sha512'],
  ['sha-512-256', 'sha512-256'],
]);

/** A challenge that can be answered. */
export interface DigestChallenge {
  readonly realm: string;
  nonce: string;
  readonly opaque: string | undefined;
  /** As the server wrote it, `undefined` when it did not (MD5 then). */
  readonly algorithm: string | undefined;
  /** As `node:crypto` knows it. */
  readonly hash: string;
  readonly session: boolean;
  /** `undefined`: the server is from the time before (RFC 2069). */
  readonly qop: 'auth' | 'auth-int' | undefined;
  /** The name is sent hashed. */
  readonly userHash: boolean;
  readonly domain: string | undefined;
  readonly stale: boolean;
}

/**
 * The first Digest challenge that can be answered: servers put the one that they prefer in front (RFC 7616 §3.7). `undefined` when there is
 * none.
 */
export function digestChallenge(challenges: readonly Challenge[]): DigestChallenge | undefined {
  for (const { scheme, params } of challenges) {
    if (scheme !== 'digest') continue;
    const realm = params.get('realm');
    const nonce = params.get('nonce');
    if (realm === undefined || nonce === undefined || nonce === '') continue;
    const algorithm = params.get('algorithm');
    const [, name = '', sess] = /^(.*?)(-sess)?$/i.exec(algorithm ?? 'MD5')!;
    const hash = HASHES.get(name.toLowerCase());
    if (hash === undefined) continue;
    const offered = (params.get('qop') ?? '')
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((qop) => qop !== '');
    // The body is looked at only when the server insists: it would have to be in memory.
    const qop = offered.includes('auth') ? 'auth' : offered.includes('auth-int') ? 'auth-int' : undefined;
    if (qop === undefined && offered.length > 0) continue;
    return {
      realm,
      nonce,
      opaque: params.get('opaque'),
      algorithm,
      hash,
      session: sess !== undefined,
      qop,
      userHash: params.get('userhash')?.toLowerCase() === 'true',
      domain: params.get('domain'),
      stale: params.get('stale')?.toLowerCase() === 'true',
    };
  }
  return undefined;
}

/** What an answer is made from, besides the challenge. */
export interface DigestInput {
  readonly login: string;
  readonly password: string;
  readonly method: string;
  /** Path and query as the request line holds them. */
  readonly uri: string;
  /** The body, for `auth-int`. */
  readonly body: Uint8Array | undefined;
  /** How often this nonce has been used, this time included. */
  readonly count: number;
  readonly clientNonce: string;
}

/** Value of Authorization that answers a challenge (RFC 7616 §3.4). */
export function digestResponse(challenge: DigestChallenge, input: DigestInput): string {
  const { realm, nonce, opaque, algorithm, qop } = challenge;
  const { login, password, method, uri, clientNonce } = input;
  const digest = (...data: readonly (string | Uint8Array)[]): string => {
    const hash = createHash(challenge.hash);
    for (const part of data) hash.update(part);
    return hash.digest('hex');
  };
  // The bytes that the server sent: fields come as latin1, and a realm is UTF-8 (RFC 7616 §4).
  const realmBytes = Buffer.from(realm, 'latin1');
  const count = input.count.toString(16).padStart(8, '0');
  let a1 = digest(`${login}:`, realmBytes, `:${password}`);
  if (challenge.session) a1 = digest(`${a1}:${nonce}:${clientNonce}`);
  let a2 = `${method}:${uri}`;
  if (qop === 'auth-int') a2 += `:${digest(input.body ?? '')}`;
  const response = digest(
    qop === undefined
      ? `${a1}:${nonce}:${digest(a2)}`
      : `${a1}:${nonce}:${count}:${clientNonce}:${qop}:${digest(a2)}`,
  );
  const parts = [
    challenge.userHash ? `username="${digest(`${login}:`, realmBytes)}"` : usernamePart(login),
    `realm=${quoteString(realm)}`,
    `nonce=${quoteString(nonce)}`,
    `uri=${quoteString(uri)}`,
    `response="${response}"`,
  ];
  if (algorithm !== undefined) parts.push(`algorithm=${algorithm}`);
  if (opaque !== undefined) parts.push(`opaque=${quoteString(opaque)}`);
  if (qop !== undefined) parts.push(`qop=${qop}`, `nc=${count}`, `cnonce=${quoteString(clientNonce)}`);
  else if (challenge.session) parts.push(`cnonce=${quoteString(clientNonce)}`);
  if (challenge.userHash) parts.push('userhash=true');
  return `Digest ${parts.join(', ')}`;
}

/** A name beyond ASCII is written as RFC 8187 has it (RFC 7616 §3.4.4). */
function usernamePart(login: string): string {
  if (/^[\x20-\x7e]*$/.test(login)) return `username=${quoteString(login)}`;
  const encoded = encodeURIComponent(Buffer.from(login).toString()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `username*=UTF-8''${encoded}`;
}
