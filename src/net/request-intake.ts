import type { Socket } from 'node:net';
import { DATA, END, ERROR, type ProtocolError, RequestParser } from '../http1/index.ts';
import { type CIMultiDictProxy, StreamReader } from '../message/index.ts';
import { BodyRate } from './body-rate.ts';
import type { ServerOptions } from './options.ts';

/** Pipelined bytes that may wait here for their turn; more wait in the socket. */
const MAX_WAITING_BYTES = 65_536;

const NO_CHUNKS: Buffer[] = [];

/** Why the socket is paused: it goes on when no reason is left. */
const BODY_FULL = 1;
const EARLY_FULL = 2;
const OUTPUT_BLOCKED = 4;

/**
 * The reading half of a server connection: the request in hand, its body, and what the client sent early. Every buffer here is
 * bounded; reaching the bound pauses the socket.
 */
export class RequestIntake {
  readonly parser: RequestParser;
  readonly rate: BodyRate;
  /** The request in hand was read to its end. */
  complete: boolean;
  body: Uint8Array | StreamReader | undefined;
  trailers: CIMultiDictProxy | undefined;
  #pauses: number;
  #socket: Socket;
  #stream: StreamReader | undefined;
  #waiting: Buffer[];
  #waitingBytes: number;

  constructor(socket: Socket, options: ServerOptions) {
    this.parser = new RequestParser(options);
    this.rate = new BodyRate();
    this.complete = true;
    this.body = undefined;
    this.trailers = undefined;
    this.#pauses = 0;
    this.#socket = socket;
    this.#stream = undefined;
    this.#waiting = NO_CHUNKS;
    this.#waitingBytes = 0;
  }

  attach(socket: Socket): void {
    this.#socket = socket;
  }

  /** Bytes that came and belong to later requests. */
  get early(): number {
    return this.#waitingBytes + this.parser.buffered;
  }

  /** The body is held back, because nobody reads it. */
  get heldBack(): boolean {
    return (this.#pauses & BODY_FULL) !== 0;
  }

  /** A body is being read as it comes. */
  get streaming(): boolean {
    return this.#stream !== undefined && !this.complete;
  }

  /** A request begins. */
  begin(): void {
    this.complete = true;
    this.body = undefined;
    this.trailers = undefined;
    this.#stream = undefined;
  }

  /**
   * The request has a body. What is here already is handed over as it is; any other becomes a stream.
   * @returns what is wrong with it, if anything
   */
  beginBody(now: number): ProtocolError | undefined {
    const { parser } = this;
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    let event = parser.next();
    for (; event === DATA; event = parser.next()) {
      if (first === undefined) first = parser.data;
      else (more ??= [first]).push(parser.data);
    }
    if (event === ERROR) return parser.error;
    if (event === END) {
      this.trailers = parser.trailers;
      this.body = more === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(more);
      return undefined;
    }
    this.complete = false;
    const stream = new StreamReader({
      pause: () => this.#pause(BODY_FULL),
      resume: () => this.#resume(BODY_FULL),
    });
    this.#stream = stream;
    this.body = stream;
    for (const data of more ?? (first === undefined ? [] : [first])) stream.feedData(data);
    this.rate.begin(now);
    return undefined;
  }

  /** More of the body came. Returns what is wrong with it, if anything. */
  readBody(): ProtocolError | undefined {
    const { parser } = this;
    const stream = this.#stream;
    let event = parser.next();
    for (; event === DATA; event = parser.next()) {
      this.rate.add(parser.data.length);
      stream?.feedData(parser.data);
    }
    if (event === ERROR) return parser.error;
    if (event === END) {
      this.complete = true;
      this.trailers = parser.trailers;
      stream?.feedEof();
      this.#resume(BODY_FULL);
    }
    return undefined;
  }

  /** The rest of the body will never come: whoever reads it hears why. */
  fail(error: Error): void {
    this.complete = true;
    this.#stream?.setException(error);
    this.#resume(BODY_FULL);
  }

  /** The answer is sent: nobody may read the body any more, its rest is dropped. */
  letGo(error: Error): void {
    if (this.streaming) this.#stream?.setException(error);
    this.#stream = undefined;
    this.body = undefined;
    this.#resume(BODY_FULL);
  }

  /** Keeps bytes of later requests, up to a bound; what is over it stays in the socket. */
  keep(chunk: Buffer): void {
    if (this.#waiting === NO_CHUNKS) this.#waiting = [];
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#pause(EARLY_FULL);
  }

  /** Gives the parser what was kept; `false` when there was nothing. */
  feedKept(): boolean {
    if (this.#waiting.length === 0) return false;
    this.parser.feed(this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting));
    this.#forgetKept();
    return true;
  }

  /** Everything that was read and not understood as a request: what follows an upgrade. */
  takeRest(): Buffer {
    const rest = Buffer.concat([this.parser.takeRest(), ...this.#waiting]);
    this.#forgetKept();
    return rest;
  }

  /** What comes from now on is nobody's. */
  dropAll(): void {
    this.#forgetKept();
    this.#resume(OUTPUT_BLOCKED);
  }

  /** A peer that does not take its answers cannot send either. */
  outputBlocked(): void {
    this.#pause(OUTPUT_BLOCKED);
  }

  outputFree(): void {
    this.#resume(OUTPUT_BLOCKED);
  }

  #forgetKept(): void {
    this.#waiting = NO_CHUNKS;
    this.#waitingBytes = 0;
    this.#resume(EARLY_FULL);
  }

  #pause(reason: number): void {
    if (this.#pauses === 0) this.#socket.pause();
    this.#pauses |= reason;
  }

  #resume(reason: number): void {
    if ((this.#pauses & reason) === 0) return;
    this.#pauses &= ~reason;
    if (this.#pauses === 0) this.#socket.resume();
  }
}
