/** Sockets: server connections, listeners, and the exchange where a transport and the application meet. */

export { ClientConnection } from './client-connection.ts';
export {
  type ConnectionOwner,
  DEFAULT_MESSAGE_OPTIONS,
  type FailureTranslator,
  type MessageOptions,
  ReceivedMessage,
} from './client-message.ts';
export { type Dialed, type DialOptions, dialPath, dialTcp, secured, startTls } from './dial.ts';
export { DnsCache, type DnsCacheOptions } from './dns-cache.ts';
export {
  ClientDisconnectedError,
  ReadTimeoutError,
  RequestPayloadError,
  ResponsePayloadError,
  ResponseStateError,
  ServerDisconnectedError,
} from './errors.ts';
export type {
  Endpoint,
  Exchange,
  ExchangeHandler,
  ExchangeOwner,
  RequestHead,
  ResponseHead,
  UpgradedConnection,
} from './exchange.ts';
export {
  type Address,
  CONNECTION_ATTEMPT_DELAY,
  interleave,
  type PhaseWait,
  type RaceOptions,
  type RaceTimers,
  raceAddresses,
} from './happy-eyeballs.ts';
export { Listener, type ListenerOptions } from './listener.ts';
export type { Logger, ServerOptions } from './options.ts';
export { Output } from './output.ts';
export { openTunnel, TunnelDataError, TunnelRefusedError, type TunnelTarget } from './proxy-tunnel.ts';
export {
  AbstractResolver,
  type AddressFamily,
  AsyncResolver,
  type AsyncResolverOptions,
  type ResolvedHost,
  ThreadedResolver,
} from './resolver.ts';
export { Server } from './server.ts';
export type { ServerConnection } from './server-connection.ts';
export { type ExtraInfo, socketInfo } from './socket-info.ts';
export { SocketReader } from './socket-reader.ts';
export { type SocksCredentials, SocksError, type SocksTarget, socksConnect } from './socks.ts';
export { StallWatch } from './stall-watch.ts';
export { TimerWheel, type WheelEntry } from './timer-wheel.ts';
export { type ClientTlsOptions, tlsConnectOptions } from './tls-options.ts';
