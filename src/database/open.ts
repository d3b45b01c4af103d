import type { PostgresOptions } from '../postgres/index.ts';
import type { Database } from '../sql/index.ts';
import type { ConnectOptions } from '../sqlite/index.ts';

/** Options of {@link open}: those of each kind of database, of which the one that the URL names are used. */
export interface OpenOptions {
  readonly sqlite?: ConnectOptions | undefined;
  readonly postgres?: PostgresOptions | undefined;
}

function wrongUrl(why: string): RangeError {
  return Object.assign(
    new RangeError(
      `${why}. A database URL is sqlite:///absolute/path.db, sqlite:relative.db, sqlite::memory: or postgres://user:password@host/name`,
    ),
    { code: 'AIO_DATABASE_URL' },
  );
}

/** The path in a URL that begins with `sqlite:`. */
function sqlitePath(url: string): string {
  const rest = url.slice('sqlite:'.length);
  if (rest === ':memory:') return rest;
  if (rest.includes('?') || rest.includes('#')) {
    throw wrongUrl(
      'Options of SQLite are not written into its URL: give open() an object; a ? or # in a name is %3F or %23',
    );
  }
  let path: string;
  try {
    path = decodeURIComponent(rest);
  } catch {
    throw wrongUrl('The SQLite URL has a % that is no escape; write it as %25');
  }
  if (path.startsWith('//')) {
    if (!path.startsWith('///')) throw wrongUrl('A SQLite URL names no host: three slashes, or none');
    path = path.slice(2);
    // file:///C:/… on Windows
    if (/^\/[A-Za-z]:[\\/]/.test(path)) path = path.slice(1);
  }
  if (path === '' || path === '/') throw wrongUrl('The SQLite URL names no file');
  return path;
}

/**
 * Opens the database that a URL names: one line of configuration decides what the same program runs on. Only the driver that is needed is loaded.
 *
 * @param url `sqlite:///absolute/path.db`, `sqlite:relative.db`, `sqlite::memory:`, `postgres://…` or `postgresql://…`
 * @throws RangeError `AIO_DATABASE_URL` for other URLs, which are not quoted because they may hold a password; whatever `connect` of the room throws
 *
 * @example
 * ```ts
 * import { open } from 'aiohttp-ts/database';
 * import { sql } from 'aiohttp-ts/sql';
 * await using db = await open(process.env['DATABASE_URL'] ?? 'sqlite::memory:');
 * console.log(await db.fetchone(sql`SELECT ${1} AS one`));
 * ```
 */
export async function open(url: string | URL, options: OpenOptions = {}): Promise<Database> {
  const text = String(url);
  const scheme = /^([A-Za-z][\w+.-]*):/.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'sqlite': {
      const path = sqlitePath(`sqlite:${text.slice(scheme.length + 1)}`);
      const { connect } = await import('../sqlite/index.ts');
      return await connect(path, options.sqlite);
    }
    case 'postgres':
    case 'postgresql': {
      const { connect } = await import('../postgres/index.ts');
      return await connect(`${scheme}:${text.slice(scheme.length + 1)}`, options.postgres);
    }
    default:
      throw wrongUrl(
        scheme === undefined ? 'That is no URL of a database' : `There is no database for ${scheme}:`,
      );
  }
}
