import type { Socket } from 'node:net';
import type { Http1Exchange } from './http1-exchange.ts';
import type { Server } from './server.ts';
import type { WheelEntry } from './timer-wheel.ts';

const CONNECTION: unique symbol = Symbol('connection');

type ServedSocket = Socket & { [CONNECTION]: ServerConnection };

/**
 * One server socket. As long as it is idle there is nothing but this object: parser, output and exchange are borrowed
 * from the server when bytes come, and given back when the last answer is sent. The listeners are shared by all sockets for the
 * same reason: an idle connection costs 0.4 KB on top of its socket.
 */
export class ServerConnection implements WheelEntry {
  readonly socket: Socket;
  deadline: number;
  slot: number;
  readonly #server: Server;
  #exchange: Http1Exchange | undefined;

  constructor(server: Server, socket: Socket) {
    this.socket = socket;
    this.deadline = Infinity;
    this.slot = -1;
    this.#server = server;
    this.#exchange = undefined;
    (socket as ServedSocket)[CONNECTION] = this;
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
    const { headersTimeout } = server.options;
    if (headersTimeout > 0) server.wheel.arm(this, headersTimeout);
  }

  /** A request is in hand, or its answer still on the way: a shutdown has to wait for it. */
  get busy(): boolean {
    return this.#exchange?.busy ?? false;
  }

  /** Ends the connection if it is idle, else as soon as its answer is sent. */
  closeWhenIdle(): void {
    this.exchange.closeWhenIdle();
  }

  /** Tells whoever has taken the connection over that the server ends. */
  serverEnds(): void {
    this.#exchange?.serverEnds();
  }

  /** Ends the connection now, whatever it is doing. */
  destroy(): void {
    this.socket.destroy();
  }

  expire(now: number): void {
    this.exchange.expire(now);
  }

  /** @internal What does the work on this connection. */
  get exchange(): Http1Exchange {
    return (this.#exchange ??= this.#server.borrowExchange(this));
  }

  /** @internal The connection is idle again. */
  giveBack(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange !== undefined) this.#server.returnExchange(exchange);
  }

  /** @internal The socket is handed over to somebody else. */
  detach(): void {
    this.socket.off('data', onData).off('end', onEnd);
    this.socket.pause();
    this.#server.wheel.remove(this);
  }

  /** @internal The socket is closed. */
  closed(): void {
    this.#exchange?.connectionClosed();
    this.#exchange = undefined;
    this.#server.forget(this);
  }
}

function onData(this: Socket, chunk: Buffer): void {
  (this as ServedSocket)[CONNECTION].exchange.receive(chunk);
}

function onEnd(this: Socket): void {
  (this as ServedSocket)[CONNECTION].exchange.inputEnds();
}

/** 'close' follows and says all that matters. */
function onError(): void {}

function onClose(this: Socket): void {
  (this as ServedSocket)[CONNECTION].closed();
}
