import type { Socket } from 'node:net';
import { type CipherNameAndProtocol, type PeerCertificate, TLSSocket } from 'node:tls';
import type { Endpoint, Exchange } from '../net/index.ts';

/** What `request.getExtraInfo(name)` can be asked for. */
export interface ExtraInfo {
  /** Address of the peer. */
  peername: Endpoint;
  /** Address of our end. */
  sockname: Endpoint;
  socket: Socket;
  /** Cipher and version of a TLS connection. */
  cipher: CipherNameAndProtocol;
  /** Certificate of a TLS client; absent when it showed none. */
  peercert: PeerCertificate;
  /** Protocol that ALPN chose. */
  alpn: string;
}

/** `undefined` where the transport does not know. */
export function extraInfo<K extends keyof ExtraInfo>(exchange: Exchange, name: K): ExtraInfo[K] | undefined {
  const known: { [N in keyof ExtraInfo]: () => ExtraInfo[N] | undefined } = {
    peername: () => exchange.remote,
    sockname: () => exchange.local,
    socket: () => exchange.socket,
    cipher: () => tls(exchange)?.getCipher(),
    peercert: () => certificate(tls(exchange)),
    alpn: () => tls(exchange)?.alpnProtocol || undefined,
  };
  return Object.hasOwn(known, name) ? known[name]() : undefined;
}

function tls(exchange: Exchange): TLSSocket | undefined {
  return exchange.socket instanceof TLSSocket ? exchange.socket : undefined;
}

function certificate(socket: TLSSocket | undefined): PeerCertificate | undefined {
  const shown = socket?.getPeerCertificate();
  // Node gives an empty object when the client showed none.
  return shown === undefined || shown === null || Object.keys(shown).length === 0 ? undefined : shown;
}
