import type { Socket } from 'node:net';
import { type CipherNameAndProtocol, type PeerCertificate, TLSSocket } from 'node:tls';
import type { Endpoint } from './exchange.ts';

/** What `getExtraInfo(name)` of a request or a WebSocket can be asked for. */
export interface ExtraInfo {
  /** Address of the peer. */
  peername: Endpoint;
  /** Address of our end. */
  sockname: Endpoint;
  socket: Socket;
  /** Cipher and version of a TLS connection. */
  cipher: CipherNameAndProtocol;
  /** Certificate of the peer on a TLS connection; absent when it showed none. */
  peercert: PeerCertificate;
  /** Protocol that ALPN chose. */
  alpn: string;
}

const known: { readonly [N in keyof ExtraInfo]: (socket: Socket) => ExtraInfo[N] | undefined } = {
  peername: (socket) => endpoint(socket.remoteAddress, socket.remotePort),
  sockname: (socket) => endpoint(socket.localAddress, socket.localPort),
  socket: (socket) => socket,
  cipher: (socket) => (socket instanceof TLSSocket ? socket.getCipher() : undefined),
  peercert: (socket) => (socket instanceof TLSSocket ? certificate(socket) : undefined),
  alpn: (socket) => (socket instanceof TLSSocket ? socket.alpnProtocol || undefined : undefined),
};

/** `undefined` for what is not known of this socket, and for other names. */
export function socketInfo<K extends keyof ExtraInfo>(socket: Socket, name: K): ExtraInfo[K] | undefined {
  return Object.hasOwn(known, name) ? known[name](socket) : undefined;
}

/** Both or none: a Unix socket has no address. */
export function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined || port === undefined ? undefined : { address, port };
}

function certificate(socket: TLSSocket): PeerCertificate | undefined {
  const shown = socket.getPeerCertificate();
  // Node gives an empty object when the peer showed none.
  return shown === undefined || shown === null || Object.keys(shown).length === 0 ? undefined : shown;
}
