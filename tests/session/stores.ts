// Every storage on the server that there is, each with what it stands on.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as postgres from '../../src/postgres/index.ts';
import * as session from '../../src/session/index.ts';
import * as sqlite from '../../src/sqlite/index.ts';
import { PostgresServer, withoutPostgres } from '../postgres/postgres-server.ts';
import { connectClient, RedisCluster, RedisServer, redisMissing } from '../redis/redis-server.ts';

export interface Store {
  readonly storage: session.ServerStorage;
  /** Another storage on the same data, as another process has it; the memory of a process has none. */
  readonly twin: session.ServerStorage;
  close(): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  readonly skip: string | false;
  start(): Promise<Store>;
}

/** Answers that a busy machine brings late are no part of the tests of storages. */
const patient: session.RedisStorageOptions = { deadline: 8_000 };

/** Two storages on the same data, over a connection each. */
async function twins<C>(
  connections: readonly C[],
  storageOn: (connection: C) => session.ServerStorage,
  end: () => void | Promise<void>,
): Promise<Store> {
  const [storage, twin] = connections.map(storageOn) as [session.ServerStorage, session.ServerStorage];
  for (const one of [storage, twin]) await one.open?.();
  return {
    storage,
    twin,
    async close() {
      for (const one of [storage, twin]) await one.close?.();
      await end();
    },
  };
}

async function redisStore(options: session.RedisStorageOptions): Promise<Store> {
  const server = await RedisServer.start();
  const clients = await Promise.all([connectClient(server.url), connectClient(server.url)]);
  return twins(
    clients,
    (client) => new session.RedisStorage(client, options),
    async () => {
      for (const client of clients) client.destroy();
      await server.stop();
    },
  );
}

export const storeKinds: readonly StoreKind[] = [
  {
    name: 'MemoryStorage',
    skip: false,
    async start() {
      const storage = new session.MemoryStorage();
      return { storage, twin: storage, async close() {} };
    },
  },
  { name: 'RedisStorage', skip: redisMissing, start: () => redisStore(patient) },
  {
    name: 'RedisStorage with plain keys',
    skip: redisMissing,
    start: () => redisStore({ ...patient, plainKeys: true }),
  },
  {
    name: 'RedisStorage on three shards',
    skip: redisMissing,
    async start() {
      const cluster = await RedisCluster.start();
      const clients = await Promise.all([cluster.connect(), cluster.connect()]);
      return twins(
        clients,
        (client) => new session.RedisStorage(client, patient),
        async () => {
          for (const client of clients) client.destroy();
          await cluster.stop();
        },
      );
    },
  },
  {
    name: 'SqliteStorage',
    skip: false,
    async start() {
      const folder = mkdtempSync(path.join(tmpdir(), 'aiohttp-ts-sessions-'));
      const file = path.join(folder, 'app.db');
      const databases = [await sqlite.connect(file), await sqlite.connect(file)];
      return twins(
        databases,
        (db) => new session.SqliteStorage(db),
        async () => {
          for (const db of databases) await db.close();
          rmSync(folder, { recursive: true, force: true });
        },
      );
    },
  },
  {
    name: 'PostgresStorage',
    skip: withoutPostgres,
    async start() {
      const server = await PostgresServer.start();
      const databases = [await postgres.connect(server.url), await postgres.connect(server.url)];
      return twins(
        databases,
        (db) => new session.PostgresStorage(db),
        async () => {
          for (const db of databases) await db.close();
          await server.stop();
        },
      );
    },
  },
];
