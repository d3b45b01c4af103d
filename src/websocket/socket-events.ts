import type { Socket } from 'node:net';

/** Who hears what happens to a socket. */
export interface SocketOwner {
  bytesCame(chunk: Uint8Array): void;
  /** The peer ended its side. */
  peerEnded(): void;
  socketDrained(): void;
  socketFailed(error: Error): void;
  socketClosed(): void;
}

const OWNER: unique symbol = Symbol('owner');
type OwnedSocket = Socket & { [OWNER]: SocketOwner };

/** The same listeners for all sockets: an idle one costs no closures. */
export function listen(socket: Socket, owner: SocketOwner): void {
  (socket as OwnedSocket)[OWNER] = owner;
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
}

function onData(this: Socket, chunk: Buffer): void {
  (this as OwnedSocket)[OWNER].bytesCame(chunk);
}

function onEnd(this: Socket): void {
  (this as OwnedSocket)[OWNER].peerEnded();
}

function onDrain(this: Socket): void {
  (this as OwnedSocket)[OWNER].socketDrained();
}

function onError(this: Socket, error: Error): void {
  (this as OwnedSocket)[OWNER].socketFailed(error);
}

function onClose(this: Socket): void {
  this.off('data', onData).off('end', onEnd).off('drain', onDrain).off('close', onClose);
  (this as OwnedSocket)[OWNER].socketClosed();
}
