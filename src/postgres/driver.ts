import { InterfaceError } from '../sql/index.ts';

/** What is used of `pg`'s connection: the messages of the extended query protocol. */
export interface PgConnection {
  readonly stream: {
    cork?(): void;
    uncork?(): void;
    destroy(error?: Error): unknown;
    readonly encrypted?: boolean | undefined;
  };
  on(event: 'readyForQuery', listener: (message: { readonly status?: string }) => void): unknown;
  query(text: string): void;
  parse(message: { readonly text: string; readonly name: string }): void;
  bind(message: {
    readonly portal: string;
    readonly statement: string;
    readonly values: readonly WireValue[];
  }): void;
  describe(message: { readonly type: 'P'; readonly name: string }): void;
  execute(message: { readonly portal: string; readonly rows: number }): void;
  close(message: { readonly type: 'S' | 'P'; readonly name: string }): void;
  sync(): void;
  flush(): void;
  sendCopyFail(message: string): void;
}

/** A value as it goes to the server: text, bytes or NULL. */
export type WireValue = string | Buffer | null;

/** A column as the server describes it. */
export interface PgField {
  readonly name: string;
  readonly dataTypeID: number;
}

/** What `pg` calls while a statement of ours runs; the same that its own `Query`, `pg-cursor` and `pg-query-stream` implement. */
export interface Submittable {
  submit(connection: PgConnection): Error | null;
  handleRowDescription(message: { readonly fields: readonly PgField[] }): void;
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void;
  handlePortalSuspended(connection: PgConnection): void;
  handleCommandComplete(message: { readonly text: string }, connection: PgConnection): void;
  handleEmptyQuery(connection: PgConnection): void;
  handleCopyInResponse(connection: PgConnection): void;
  handleCopyData(message: unknown, connection: PgConnection): void;
  handleError(error: Error, connection: PgConnection): void;
  handleReadyForQuery(connection: PgConnection): void;
}

/** A message of `NOTIFY`. */
export interface PgNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
  readonly processId: number;
}

/** What is used of `pg.Client`. */
export interface PgClient {
  readonly host: string;
  readonly port: number;
  readonly processID: number | null;
  readonly secretKey: number | null;
  readonly connection: PgConnection;
  connect(): Promise<unknown>;
  end(): Promise<void>;
  query(statement: Submittable): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: PgNotification) => void): unknown;
}

/** What is used of the package `pg`. */
export interface PgDriver {
  readonly Client: new (config: Readonly<Record<string, unknown>>) => PgClient;
}

/** Not written where it is imported: who has not installed it can still build a bundle. */
const LIBRARY = 'pg';
let loading: Promise<PgDriver> | undefined;

/** @throws InterfaceError `AIO_SQL_DRIVER` when the package is not installed, or is none that fits */
export function loadDriver(): Promise<PgDriver> {
  loading ??= load();
  return loading;
}

async function load(): Promise<PgDriver> {
  let module: Partial<PgDriver> & { readonly default?: PgDriver };
  try {
    module = await import(LIBRARY);
  } catch (cause) {
    loading = undefined;
    throw new InterfaceError('aiohttp-ts/postgres needs the package pg: npm install pg', {
      code: 'AIO_SQL_DRIVER',
      cause,
    });
  }
  const Client = module.Client ?? module.default?.Client;
  if (typeof Client !== 'function') {
    throw new InterfaceError('aiohttp-ts/postgres needs pg 8.11 or later: npm install pg@8', {
      code: 'AIO_SQL_DRIVER',
    });
  }
  return { Client };
}
