/**
 * Sessions: what the server remembers of a visitor between requests. Counterpart of `aiohttp_session`.
 *
 * @module
 */
export {
  type CookieKey,
  type EncryptedCookieOptions,
  EncryptedCookieStorage,
} from './encrypted-cookie-storage.ts';
export { SessionError, SessionUnavailableError } from './errors.ts';
export { type Flash, flash, getFlashes, sessionProcessor } from './flash.ts';
export { hashIdentity, isIdentity, newIdentity } from './identity.ts';
export { MemoryStorage, type MemoryStorageOptions } from './memory-storage.ts';
export type { RejectedReason, SessionOptions } from './options.ts';
export { PostgresStorage } from './postgres-storage.ts';
export { RedisStorage, type RedisStorageOptions } from './redis-storage.ts';
export { Session, type SessionKey } from './session.ts';
export { getSession, newSession, sessionMiddleware, setup, storageOf } from './setup.ts';
export { SimpleCookieStorage } from './simple-cookie-storage.ts';
export { type DatabaseSource, SqlStorage, type SqlStorageOptions } from './sql-storage.ts';
export { SqliteStorage } from './sqlite-storage.ts';
export type {
  CookieContext,
  CookieStorage,
  OpenedCookie,
  ServerStorage,
  SessionWrite,
  Storage,
  StoredSession,
  UserSession,
  WriteOutcome,
} from './storage.ts';
export { type StorageCheck, storageContract } from './storage-contract.ts';
