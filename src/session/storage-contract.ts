import { newIdentity } from './identity.ts';
import type { ServerStorage, SessionWrite, StoredSession, WriteOutcome } from './storage.ts';

/** One thing that a storage must do. It throws when the storage does not. */
export interface StorageCheck {
  readonly name: string;
  run(storage: ServerStorage): Promise<void>;
}

const DAY = 86_400_000;

function record(data: Record<string, unknown>, user?: string): SessionWrite {
  const created = Math.floor(Date.now() / 1000);
  const value = `{"created":${created},"session":${JSON.stringify(data)}${user === undefined ? '' : `,"user":${JSON.stringify(user)}`}}`;
  return { value, ttl: DAY, user, end: Date.now() + 2 * DAY, relist: true };
}

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** The session part of a value: a storage may put fields of its own around it. */
function dataOf(stored: StoredSession | undefined): unknown {
  return stored === undefined ? undefined : (JSON.parse(stored.value) as { session?: unknown }).session;
}

function mustHold(
  stored: StoredSession | undefined,
  data: unknown,
  what: string,
): asserts stored is StoredSession {
  const found = JSON.stringify(dataOf(stored));
  must(found === JSON.stringify(data), `${what}: found ${found}, expected ${JSON.stringify(data)}`);
}

async function created(
  storage: ServerStorage,
  write: SessionWrite,
): Promise<{ key: string; version: string }> {
  const key = newIdentity();
  const version = await storage.create(key, write);
  must(version !== undefined, 'create() of a new key gives a version');
  return { key, version };
}

function mustBe<S extends WriteOutcome['status']>(
  outcome: WriteOutcome,
  status: S,
): Extract<WriteOutcome, { status: S }> {
  must(outcome.status === status, `the outcome is '${outcome.status}', expected '${status}'`);
  return outcome as Extract<WriteOutcome, { status: S }>;
}

const checks: Record<string, (storage: ServerStorage) => Promise<void>> = {
  'what was created is loaded': async (storage) => {
    const { key, version } = await created(storage, record({ a: 1, text: 'ä\u2028"\\\'' }));
    const stored = await storage.load(key);
    mustHold(stored, { a: 1, text: 'ä\u2028"\\\'' }, 'load()');
    must(stored.version === version, 'load() gives the version that create() gave');
    must(stored.expiresIn > DAY - 60_000 && stored.expiresIn <= DAY, `expiresIn is ${stored.expiresIn}`);
    must((await storage.load(newIdentity())) === undefined, 'load() of an unknown key gives undefined');
  },
  'a key that is taken is not created again': async (storage) => {
    const { key } = await created(storage, record({ a: 1 }));
    must(
      (await storage.create(key, record({ a: 2 }))) === undefined,
      'create() of a taken key gives undefined',
    );
    mustHold(await storage.load(key), { a: 1 }, 'load()');
  },
  'replace() writes on the version that was read only': async (storage) => {
    const { key, version } = await created(storage, record({ a: 1 }));
    const first = mustBe(await storage.replace(key, version, record({ a: 2 })), 'written');
    must(first.version !== version, 'every write has another version');
    const second = mustBe(await storage.replace(key, version, record({ a: 3 })), 'conflict');
    mustHold(second.current, { a: 2 }, 'the conflict shows what is there');
    must(second.current.version === first.version, 'with its version');
    mustHold(await storage.load(key), { a: 2 }, 'load()');
    mustBe(await storage.replace(key, second.current.version, record({ a: 3 })), 'written');
  },
  'the same text written again has another version': async (storage) => {
    const write = record({ a: 1 });
    const { key, version } = await created(storage, write);
    const again = mustBe(await storage.replace(key, version, write), 'written');
    must(again.version !== version, 'the versions differ');
    mustBe(await storage.replace(key, version, write), 'conflict');
  },
  'replace() never makes a session': async (storage) => {
    const key = newIdentity();
    mustBe(await storage.replace(key, '1', record({ a: 1 })), 'gone');
    const { key: ended, version } = await created(storage, record({ a: 1 }));
    must(await storage.delete(ended), 'delete() gives true');
    must(!(await storage.delete(ended)), 'the second delete() gives false');
    mustBe(await storage.replace(ended, version, record({ a: 2 })), 'gone');
    must((await storage.load(ended)) === undefined, 'it stays deleted');
    must((await storage.load(key)) === undefined, 'it was never there');
  },
  'rename() moves a session, and leaves nothing behind': async (storage) => {
    const { key, version } = await created(storage, record({ a: 1 }));
    const newKey = newIdentity();
    const outcome = mustBe(await storage.rename(key, newKey, version, record({ a: 2 })), 'written');
    must((await storage.load(key)) === undefined, 'the old key is free');
    const stored = await storage.load(newKey);
    mustHold(stored, { a: 2 }, 'load() of the new key');
    must(stored.version === outcome.version, 'with the version that rename() gave');
    mustBe(await storage.replace(key, version, record({ a: 3 })), 'gone');
  },
  'rename() is guarded by the version': async (storage) => {
    const { key, version } = await created(storage, record({ a: 1 }));
    const { version: newer } = mustBe(await storage.replace(key, version, record({ a: 2 })), 'written');
    const newKey = newIdentity();
    const outcome = mustBe(await storage.rename(key, newKey, version, record({ a: 3 })), 'conflict');
    must(outcome.current.version === newer, 'the conflict shows what is there');
    must((await storage.load(newKey)) === undefined, 'nothing is under the new key');
    mustHold(await storage.load(key), { a: 2 }, 'the old one stays');
    mustBe(await storage.rename(newIdentity(), newKey, version, record({ a: 3 })), 'gone');
    must((await storage.load(newKey)) === undefined, 'nothing is under the new key');
  },
  'rename() can leave a pointer for a while': async (storage) => {
    const { key, version } = await created(storage, record({ a: 1 }));
    const newKey = newIdentity();
    const value = `{"moved":"${newKey}"}`;
    mustBe(await storage.rename(key, newKey, version, record({ a: 2 }), { value, grace: 60_000 }), 'written');
    const pointer = await storage.load(key);
    must(pointer?.value.startsWith(`{"moved":"${newKey}"`) === true, 'the old key holds the pointer');
    must(pointer.expiresIn <= 60_000, 'for as long as was said');
    mustBe(await storage.replace(key, version, record({ a: 3 })), 'conflict');
  },
  'touch() changes the time only': async (storage) => {
    const { key, version } = await created(storage, record({ a: 1 }));
    must(await storage.touch(key, DAY / 2), 'touch() gives true');
    const stored = await storage.load(key);
    mustHold(stored, { a: 1 }, 'load()');
    must(stored.version === version, 'the version stays');
    must(stored.expiresIn <= DAY / 2 && stored.expiresIn > DAY / 4, `expiresIn is ${stored.expiresIn}`);
    must(!(await storage.touch(newIdentity(), DAY)), 'touch() of an unknown key gives false');
  },
  'what has expired is not there': async (storage) => {
    const { key, version } = await created(storage, { ...record({ a: 1 }, 'late'), ttl: 1 });
    await new Promise((resolve) => setTimeout(resolve, 10));
    must((await storage.load(key)) === undefined, 'load() gives undefined');
    mustBe(await storage.replace(key, version, record({ a: 2 })), 'gone');
    must(!(await storage.touch(key, DAY)), 'touch() gives false');
    must((await storage.sessionsOf('late')).length === 0, 'sessionsOf() does not list it');
  },
  'of many writers at once exactly one wins each time': async (storage) => {
    const { key, version } = await created(storage, record({ winner: -1 }));
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, winner) => storage.replace(key, version, record({ winner }))),
    );
    const winners = outcomes.flatMap(({ status }, index) => (status === 'written' ? [index] : []));
    must(
      winners.length === 1,
      `${winners.length} of 20 writers had the same version and were told that they wrote`,
    );
    mustHold(await storage.load(key), { winner: winners[0] }, 'load()');
  },
  'the sessions of a user are listed and ended': async (storage) => {
    const user = `user ${newIdentity()} 'ä"`;
    const keys: string[] = [];
    for (const device of ['laptop', 'phone', 'tablet'])
      keys.push((await created(storage, record({ device }, user))).key);
    const other = await created(storage, record({ device: 'other' }, `${user}x`));
    const listed = await storage.sessionsOf(user);
    const devices = listed.map(({ data }) => data['device']).sort();
    must(devices.join() === 'laptop,phone,tablet', `sessionsOf() lists ${devices.join()}`);
    for (const { key, created: begun, expiresIn } of listed) {
      must(keys.includes(key), 'by their keys');
      must(Math.abs(begun - Date.now()) < 60_000 && expiresIn > 0 && expiresIn <= DAY, 'with their times');
    }
    must((await storage.revokeAll(user, keys[1])) === 2, 'revokeAll() gives how many it ended');
    must((await storage.load(keys[0]!)) === undefined, 'they are gone');
    mustHold(await storage.load(keys[1]!), { device: 'phone' }, 'the exception stays');
    mustHold(await storage.load(other.key), { device: 'other' }, 'so do those of others');
    must((await storage.revokeAll(user)) === 1, 'without an exception all go');
    must((await storage.sessionsOf(user)).length === 0, 'nothing is listed any more');
  },
  'a session can become another user’s, also when it moves': async (storage) => {
    const [ann, bob] = [`ann ${newIdentity()}`, `bob ${newIdentity()}`];
    const { key, version } = await created(storage, record({ a: 1 }));
    const first = mustBe(await storage.replace(key, version, record({ a: 1 }, ann)), 'written');
    must((await storage.sessionsOf(ann)).length === 1, 'it is listed');
    const newKey = newIdentity();
    mustBe(await storage.rename(key, newKey, first.version, record({ a: 1 }, bob)), 'written');
    must((await storage.sessionsOf(ann)).length === 0, 'it is not the first one’s any more');
    must((await storage.sessionsOf(bob)).map((one) => one.key).join() === newKey, 'but the second one’s');
    must((await storage.revokeAll(ann)) === 0, 'the first one cannot end it');
    mustHold(await storage.load(newKey), { a: 1 }, 'load()');
  },
  'keys of other kinds of users do not meet': async (storage) => {
    for (const user of ['', '%', '*', '__proto__', 'a:b', 'x'.repeat(300)]) {
      const name = `${user}${newIdentity()}`;
      const { key } = await created(storage, record({}, name));
      must(
        (await storage.sessionsOf(name)).map((one) => one.key).join() === key,
        `user ${JSON.stringify(user)}`,
      );
      must((await storage.revokeAll(name)) === 1, `user ${JSON.stringify(user)}`);
    }
  },
  'large values are kept': async (storage) => {
    const data = { text: 'x'.repeat(200_000) };
    const { key } = await created(storage, record(data));
    mustHold(await storage.load(key), data, 'load()');
  },
};

/**
 * What every `ServerStorage` must do, as checks for any test runner. They use keys of their own, so they may run on a store that is in use.
 *
 * @example
 * ```ts
 * import { test } from 'node:test';
 * import { MemoryStorage, storageContract } from 'aiohttp-ts/session';
 * const storage = new MemoryStorage(); // yours
 * for (const check of storageContract) test(check.name, () => check.run(storage));
 * ```
 */
export const storageContract: readonly StorageCheck[] = Object.entries(checks).map(([name, run]) => ({
  name,
  run,
}));
