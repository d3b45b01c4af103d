import { createHash, randomBytes } from 'node:crypto';

/** What names a session: 256 random bits, as 43 letters, digits, `-` and `_`. */
export function newIdentity(): string {
  return randomBytes(32).toString('base64url');
}

/** From 128 bits in base64url to more than anybody needs. aiohttp-session's are 32 hexadecimal digits. */
const FORM = /^[A-Za-z0-9_-]{22,128}$/;

/** Whether a text can be an identity at all. Nothing else is ever looked up. */
export function isIdentity(text: string): boolean {
  return FORM.test(text);
}

/**
 * What a storage knows a session by unless it has `plainKeys`: the SHA-256 of its identity. Whoever reads the storage, or a copy of it,
 * finds no cookie that would open a session.
 */
export function hashIdentity(identity: string): string {
  return createHash('sha256').update(identity).digest('base64url');
}

/** What a storage knows an identity by. */
export function keyOf(identity: string, plainKeys: boolean | undefined): string {
  return plainKeys === true ? identity : hashIdentity(identity);
}
