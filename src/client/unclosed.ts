import type { BaseConnector } from './connector.ts';
import type { PooledConnection } from './pooled-connection.ts';
import type { ClientResponse } from './response.ts';
import type { ClientSession } from './session.ts';

/** What is left of a session that was dropped without `close()`. */
export interface OpenSession {
  /** Where it was made. */
  readonly madeAt: string;
  readonly connector: BaseConnector | undefined;
}

interface OpenConnection {
  /** Formatted when it is asked for. */
  readonly madeAt: { stack?: string };
  readonly what: string;
  readonly lease: PooledConnection;
  /** Of a WebSocket: once it is being closed, the rest happens by itself. */
  readonly channel?: { readonly closed: boolean };
}

const sessions = new FinalizationRegistry<OpenSession>(({ madeAt, connector }) => {
  if (connector?.closed === true) return;
  warn('Unclosed client session', madeAt);
  connector?.close().catch(() => {});
});

const connections = new FinalizationRegistry<OpenConnection>(({ madeAt, what, lease, channel }) => {
  if (lease.released || channel?.closed === true) return;
  warn(`Unclosed ${what}`, madeAt.stack ?? '');
  lease.close();
});

function warn(message: string, stack: string): void {
  const lines = stack.split('\n').slice(1).join('\n');
  process.emitWarning(message, {
    type: 'ResourceWarning',
    code: 'AIO_UNCLOSED',
    detail: `It was made here:\n${lines}`,
  });
}

/** Warns when the session is collected before it was closed, and closes its connector. */
export function watchSession(session: ClientSession, connector: BaseConnector | undefined): OpenSession {
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, session.constructor);
  // Formatted now: unformatted frames may hold the session itself.
  const mark = { madeAt: here.stack ?? '', connector };
  sessions.register(session, mark, mark);
  return mark;
}

export function forgetSession(mark: OpenSession): void {
  sessions.unregister(mark);
}

/**
 * Warns when the response is collected while it still holds a connection, and closes that. Only responses whose body did not come with
 * the head are watched: the others hold nothing.
 */
export function watchResponse(response: ClientResponse): void {
  const { lease, request } = response;
  if (lease === undefined) return;
  const madeAt: { stack?: string } = {};
  Error.captureStackTrace(madeAt, watchResponse);
  // A token costs something: only what may become another thing needs one.
  const token = response.status === 101 ? lease : undefined;
  connections.register(response, { madeAt, what: `response to ${request}`, lease }, token);
}

/**
 * Warns when the WebSocket is collected while its connection is open, and closes that.
 *
 * @param lease of the response that it was made from, which is not watched any more
 */
export function watchWebSocket(
  socket: object,
  what: string,
  lease: PooledConnection,
  channel: { readonly closed: boolean },
): void {
  connections.unregister(lease);
  const madeAt: { stack?: string } = {};
  Error.captureStackTrace(madeAt, watchWebSocket);
  connections.register(socket, { madeAt, what: `WebSocket to ${what}`, lease, channel }, lease);
}

/** The connection of a WebSocket has ended. */
export function forgetWebSocket(lease: PooledConnection): void {
  connections.unregister(lease);
}
