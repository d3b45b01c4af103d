import { type DatabaseSource, SqlStorage, type SqlStorageOptions } from './sql-storage.ts';

/**
 * Sessions in a table of a SQLite database: survives restarts, needs no server, and several processes on one machine may share it. The choice for one
 * machine.
 *
 * @example
 * ```ts
 * import * as session from 'aiohttp-ts/session';
 * import * as sqlite from 'aiohttp-ts/sqlite';
 * import * as web from 'aiohttp-ts/web';
 * const app = new web.Application();
 * const db = await sqlite.connect('app.db');
 * session.setup(app, new session.SqliteStorage(db));
 * ```
 */
export class SqliteStorage extends SqlStorage {
  /**
   * @param database - the application's database, or a function that gives it once the application has started: `() => app.get(DB)`
   * @throws RangeError `AIO_SESSION_SETTING`
   */
  constructor(database: DatabaseSource, options?: SqlStorageOptions) {
    super('sqlite', database, options);
  }
}
