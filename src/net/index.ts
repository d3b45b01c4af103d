/** Sockets: server connections, listeners, and the exchange where a transport and the application meet. */

export { ClientDisconnectedError, RequestPayloadError, ResponseStateError } from './errors.ts';
export type {
  Endpoint,
  Exchange,
  ExchangeHandler,
  ExchangeOwner,
  RequestHead,
  ResponseHead,
  UpgradedConnection,
} from './exchange.ts';
export { Listener, type ListenerOptions } from './listener.ts';
export type { Logger, ServerOptions } from './options.ts';
export { Server } from './server.ts';
export type { ServerConnection } from './server-connection.ts';
export { TimerWheel, type WheelEntry } from './timer-wheel.ts';
