import type { Socket } from 'node:net';
import type { Server } from './server.ts';
import type { ServerConnection } from './server-connection.ts';
import { StallWatch } from './stall-watch.ts';

/** How often a slow body, or a peer that takes nothing, is looked at: once a second, or as often as the time limits need it. */
const CHECK_TICKS = 2;

/**
 * The time limits of an exchange. Its connection has one deadline in the server's wheel; which limit that is follows from what the
 * exchange is doing. A limit of 0 is none.
 */
export class ExchangeTimer {
  readonly #server: Server;
  readonly #stall: StallWatch;
  #connection: ServerConnection;
  /** The deadline in force is that of a head: more bytes of the same head must not move it. */
  #headTimed: boolean;
  #handlerDeadline: number;

  constructor(server: Server, connection: ServerConnection) {
    this.#server = server;
    this.#stall = new StallWatch();
    this.#connection = connection;
    this.#headTimed = false;
    this.#handlerDeadline = Infinity;
  }

  attach(connection: ServerConnection): void {
    this.#connection = connection;
    this.#headTimed = false;
  }

  /** The connection waits for a request. */
  idle(): void {
    this.#arm(this.#server.options.keepAliveTimeout);
  }

  /** A part of a head is here. */
  headBegun(): void {
    if (!this.#headTimed) this.#arm(this.#server.options.headersTimeout);
    this.#headTimed = true;
  }

  /** A request is in hand: what was waited for has come. */
  requestBegun(): void {
    this.#connection.deadline = Infinity;
    this.#headTimed = false;
  }

  bodyBegun(): void {
    const { bodyGracePeriod, bodyMinRate } = this.#server.options;
    if (bodyMinRate > 0) this.#armSooner(bodyGracePeriod);
  }

  handlerBegun(): void {
    const { handlerTimeout } = this.#server.options;
    if (handlerTimeout === 0) return;
    this.#handlerDeadline = this.#server.wheel.now + handlerTimeout;
    this.#armSooner(handlerTimeout);
  }

  answered(): void {
    this.#handlerDeadline = Infinity;
    this.#stall.reset();
  }

  /** The rest of a request, or the end of the connection, is waited for. */
  linger(): void {
    this.#arm(this.#server.options.lingerTimeout);
  }

  /** The peer does not take what it is sent. */
  outputBlocked(): void {
    this.#armSooner(this.#checkInterval);
  }

  /** The peer took everything. */
  outputFree(): void {
    this.#stall.reset();
  }

  /** Nothing is waited for but that the peer takes what it is sent. */
  outputOnly(): void {
    this.#arm(this.#checkInterval);
  }

  /** When a busy exchange is looked at again; `watching` tells whether there is something to look at. */
  lookAgain(now: number, watching: boolean): void {
    const next = Math.min(this.#handlerDeadline - now, watching ? this.#checkInterval : Infinity);
    if (next !== Infinity) this.#server.wheel.arm(this.#connection, Math.max(next, 0));
  }

  /** `true`, once, when the handler has had its time. */
  handlerIsLate(now: number): boolean {
    if (now < this.#handlerDeadline) return false;
    this.#handlerDeadline = Infinity;
    return true;
  }

  /** Whether the peer took nothing for too long although something waits for it. */
  isStalled(socket: Socket, now: number): boolean {
    return this.#stall.isStalled(socket, now, this.#server.options.sendTimeout);
  }

  get #checkInterval(): number {
    return this.#server.wheel.tickLength * CHECK_TICKS;
  }

  #arm(delay: number): void {
    if (delay > 0) this.#server.wheel.arm(this.#connection, delay);
    else this.#connection.deadline = Infinity;
  }

  #armSooner(delay: number): void {
    if (this.#server.wheel.now + delay < this.#connection.deadline) this.#arm(delay);
  }
}
