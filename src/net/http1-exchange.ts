import { ERROR, type Fault, HEAD, ProtocolError } from '../http1/index.ts';
import type { CIMultiDictProxy, StreamReader } from '../message/index.ts';
import { AnswerWriter } from './answer-writer.ts';
import { BAD_REQUEST_HEAD } from './bad-request-head.ts';
import { ClientDisconnectedError, RequestPayloadError, ResponseStateError } from './errors.ts';
import type { Exchange, ExchangeOwner, ResponseHead, UpgradedConnection } from './exchange.ts';
import { ExchangeTimer } from './exchange-timer.ts';
import type { HeadCache } from './head-cache.ts';
import { RequestIntake } from './request-intake.ts';
import type { Server } from './server.ts';
import type { ServerConnection } from './server-connection.ts';

/** No request, or only the beginning of one, is here. */
const IDLE = 0;
/** A request is being answered. */
const BUSY = 1;
/** The answer is sent; the rest of the request's body is read and dropped so that the connection can go on. */
const DRAINING = 2;
/** The last answer is sent or on its way; what still arrives is dropped until the peer ends too (RFC 9112 §9.6). */
const CLOSING = 3;
/** The socket was handed over. */
const UPGRADED = 4;

/** An unread body larger than this is not worth reading to save a connection. */
const MAX_DRAINED_BYTES = 4_194_304;

const ANSWERED = new RequestPayloadError('The request was answered before its body was read', 400);

/**
 * HTTP/1.1 on a connection that is not idle. It is the exchange of the request being answered, so a request costs no object
 * here. Requests are taken one after another (RFC 9112 §9.3.2): what comes early waits, bounded.
 */
export class Http1Exchange extends AnswerWriter implements Exchange {
  error: ProtocolError | undefined;
  owner: ExchangeOwner | undefined;
  readonly #server: Server;
  readonly #intake: RequestIntake;
  readonly #timer: ExchangeTimer;
  #connection: ServerConnection;
  #state: number;
  #processing: boolean;
  #inputEnded: boolean;
  #continueWanted: boolean;
  #drainedBytes: number;

  constructor(server: Server, connection: ServerConnection) {
    super(connection.socket);
    this.error = undefined;
    this.owner = undefined;
    this.#server = server;
    this.#intake = new RequestIntake(connection.socket, server.options);
    this.#timer = new ExchangeTimer(server, connection);
    this.#connection = connection;
    this.#state = IDLE;
    this.#processing = false;
    this.#inputEnded = false;
    this.#continueWanted = false;
    this.#drainedBytes = 0;
  }

  /** Begins to work for a connection. Everything is as new: only an exchange that has nothing left to do is given back. */
  attach(connection: ServerConnection): void {
    this.attachSocket(connection.socket);
    this.#intake.attach(connection.socket);
    this.#timer.attach(connection);
    this.#connection = connection;
  }

  get body(): Uint8Array | StreamReader | undefined {
    return this.#intake.body;
  }

  get trailers(): CIMultiDictProxy | undefined {
    return this.#intake.trailers;
  }

  get dateLine(): string {
    return this.#server.date.line;
  }

  get serverLine(): string {
    return this.#server.serverLine;
  }

  get heads(): HeadCache {
    return this.#server.heads;
  }

  get serverHeader(): string | undefined {
    return this.#server.options.serverHeader || undefined;
  }

  get busy(): boolean {
    if (this.#state === CLOSING) return !this.socket.writableFinished;
    return this.#state === BUSY || this.#state === UPGRADED;
  }

  sendContinue(): void {
    if (!this.#continueWanted || this.started) return;
    this.#continueWanted = false;
    this.output.text('HTTP/1.1 100 Continue\r\n\r\n');
    this.flush();
  }

  upgrade(head: ResponseHead): UpgradedConnection {
    this.mustBeNew();
    if (!this.#intake.complete) {
      throw new ResponseStateError('Only a request whose body was read can be upgraded');
    }
    this.leaveHttp(head);
    this.#state = UPGRADED;
    const { socket } = this;
    // Giving the rest away may let the socket go on; nobody hears it yet.
    const buffered = this.#intake.takeRest();
    this.#connection.detach();
    if (this.#server.ending) queueMicrotask(() => this.serverEnds());
    return { socket, buffered, sendTimeout: this.#server.options.sendTimeout };
  }

  hold(): () => void {
    return this.#server.hold();
  }

  /** The server ends; a connection that has left HTTP is not ours to end. */
  serverEnds(): void {
    if (this.#state === UPGRADED) this.owner?.serverEnds?.();
  }

  abort(): void {
    this.cut();
  }

  closeWhenIdle(): void {
    this.keepAlive = false;
    if (this.#state === IDLE || this.#state === DRAINING) this.#beginClosing();
  }

  // ---- input

  receive(chunk: Buffer): void {
    const intake = this.#intake;
    switch (this.#state) {
      case IDLE:
        intake.parser.feed(chunk);
        this.#process();
        break;
      case BUSY:
        if (intake.complete) {
          intake.keep(chunk);
        } else {
          this.#continueWanted = false;
          intake.parser.feed(chunk);
          this.#readBody();
        }
        break;
      case DRAINING:
        intake.parser.feed(chunk);
        this.#drainedBytes += chunk.length;
        if (this.#drainedBytes > MAX_DRAINED_BYTES) this.#beginClosing();
        else this.#readBody();
        break;
      default: // CLOSING: dropped, so that the peer can read our answer before it sees the end
    }
  }

  /** The peer sends no more (it may still read). */
  inputEnds(): void {
    this.#inputEnded = true;
    switch (this.#state) {
      case IDLE:
        // Behind answers that the peer has not taken yet, requests may wait that are complete.
        if (!this.socket.writableNeedDrain) this.#inputDone();
        break;
      case BUSY:
        if (!this.#intake.complete) {
          this.#bodyFailed(new RequestPayloadError('The request ended inside its body', 400));
        }
        this.owner?.clientEnded();
        break;
      case DRAINING:
        this.#beginClosing();
        break;
      default:
    }
  }

  connectionClosed(): void {
    const { answering, owner } = this;
    const upgraded = this.#state === UPGRADED;
    this.#state = CLOSING;
    this.answering = false;
    const error = new ClientDisconnectedError();
    this.abandonOutput(error);
    this.#intake.letGo(error);
    this.owner = undefined;
    if (answering || upgraded) owner?.exchangeDone(upgraded ? undefined : error);
  }

  /** Takes requests as long as there are some and the one before is answered. All answers leave in one write. */
  #process(): void {
    if (this.#processing) return;
    this.#processing = true;
    const intake = this.#intake;
    const { parser } = intake;
    while (this.#state === IDLE && !this.socket.writableNeedDrain) {
      const event = parser.next();
      if (event === HEAD) this.#begin();
      else if (event === ERROR) this.#beginError(parser.error!);
      else if (!intake.feedKept()) break;
    }
    this.#processing = false;
    // Answers that are still being made will follow shortly: let them join this write.
    if (this.#state === BUSY && parser.buffered > 0) this.flushSoon();
    else this.flush();
    if (this.#state === IDLE) this.#settleIdle();
    else if (this.#state === CLOSING) this.#endOutput();
  }

  /** No request is in hand and no more bytes are here. */
  #settleIdle(): void {
    // A peer that does not take its answers gets no more of them, until `drained`.
    if (this.socket.writableNeedDrain || this.socket.destroyed) {
      this.#timer.outputBlocked();
    } else if (this.#inputEnded) {
      this.#inputDone();
    } else if (!this.#server.accepting) {
      this.#beginClosing();
    } else if (this.#intake.parser.inHead) {
      this.#timer.headBegun();
    } else {
      this.#timer.idle();
      this.forgetAnswer();
      this.#connection.giveBack();
    }
  }

  /** Everything that the client sent before it ended its side is dealt with. */
  #inputDone(): void {
    if (this.#intake.parser.inHead) this.#refuse('incompleteMessage');
    else this.#beginClosing();
  }

  #begin(): void {
    const { parser } = this.#intake;
    const { head } = parser;
    this.#beginExchange(undefined);
    this.beginAnswer(head);
    this.keepAlive = head.keepAlive && head.method !== 'CONNECT';
    if (head.contentLength <= 0 && !head.chunked) {
      parser.next(); // END
    } else {
      // Who sends the body at once does not wait for 100 (RFC 9110 §10.1.1).
      this.#continueWanted = head.expectContinue && head.version.minor === 1 && parser.buffered === 0;
      if (!this.#beginBody()) return;
    }
    this.#timer.handlerBegun();
    this.#dispatch();
  }

  /** A request that cannot be understood is answered like any other, then the connection closes. */
  #beginError(error: ProtocolError): void {
    this.#beginExchange(error);
    this.beginAnswer(BAD_REQUEST_HEAD);
    this.isOld = false;
    this.keepAlive = false;
    this.#dispatch();
  }

  #beginExchange(error: ProtocolError | undefined): void {
    this.#timer.requestBegun();
    this.#state = BUSY;
    this.error = error;
    this.#continueWanted = false;
    this.#intake.begin();
  }

  /** A handler must not throw. One that does ends its own connection, not the process. */
  #dispatch(): void {
    this.#server.requestsCount++;
    try {
      this.#server.handler(this);
    } catch (error) {
      this.#server.options.logger.error('The handler of an exchange threw', error);
      this.cut();
    }
  }

  #refuse(fault: Fault): void {
    this.#processing = true;
    this.#beginError(new ProtocolError(fault));
    this.#processing = false;
    this.flush();
    if (this.#state === CLOSING) this.#endOutput();
  }

  /** `false` when the body cannot be read, which was answered then. */
  #beginBody(): boolean {
    const error = this.#intake.beginBody(this.#server.wheel.now);
    if (error !== undefined) {
      this.#beginError(error);
      return false;
    }
    if (!this.#intake.complete) this.#timer.bodyBegun();
    return true;
  }

  #readBody(): void {
    const error = this.#intake.readBody();
    if (error !== undefined) {
      this.#bodyFailed(new RequestPayloadError(error.message, error.status, { cause: error }));
    } else if (this.#state === DRAINING && this.#intake.complete) {
      this.#state = IDLE;
      this.#process();
    }
  }

  /** What follows in the connection means nothing any more; the handler hears of it when it reads. */
  #bodyFailed(error: RequestPayloadError): void {
    this.keepAlive = false;
    this.#intake.fail(error);
    if (this.#state === DRAINING) this.#beginClosing();
  }

  // ---- output

  protected settleKeepAlive(): void {
    if (!this.#server.accepting) this.keepAlive = false;
    // A client that half-closed still gets the answers to all that it sent before.
    else if (this.#inputEnded && this.#intake.early === 0) this.keepAlive = false;
    if (this.#intake.complete) return;
    // Whether a client that still waits for 100 sends its body after another answer is anybody's guess.
    const unread = this.#intake.parser.bodyRemaining;
    const { lingerTimeout } = this.#server.options;
    if (this.#continueWanted || unread > MAX_DRAINED_BYTES || lingerTimeout === 0) this.keepAlive = false;
  }

  protected answerDone(): void {
    const { owner } = this;
    this.owner = undefined;
    if (this.#intake.body !== undefined) this.#intake.letGo(ANSWERED);
    this.#timer.answered();
    if (!this.keepAlive) {
      this.#state = CLOSING;
    } else if (!this.#intake.complete) {
      this.#state = DRAINING;
      this.#drainedBytes = 0;
      this.#timer.linger();
    } else {
      this.#state = IDLE;
    }
    owner?.exchangeDone(undefined);
    if (this.#processing) return;
    if (this.#state === IDLE) {
      this.#process();
    } else {
      this.flush();
      if (this.#state === CLOSING) this.#endOutput();
    }
  }

  protected cut(): void {
    this.keepAlive = false;
    this.flush();
    if (this.#state === IDLE) this.#state = CLOSING;
    // Only TCP can be reset: a Unix socket has no address, TLS tells an early end by itself.
    if (this.endsByClosing && this.remote !== undefined && !this.secure) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  protected outputBlocked(): void {
    this.#timer.outputBlocked();
    if (this.#intake.complete) this.#intake.outputBlocked();
  }

  protected override drained(): void {
    if (this.#state === UPGRADED) return; // whoever has the socket now paces it
    this.#timer.outputFree();
    this.#intake.outputFree();
    super.drained();
    if (this.#state === IDLE) this.#process();
  }

  #beginClosing(): void {
    this.#state = CLOSING;
    this.#endOutput();
  }

  /** Our side ends; the peer's may go on for a while, or a reset would take the answer away from it. */
  #endOutput(): void {
    const { socket } = this;
    this.flush();
    this.#intake.dropAll();
    this.#timer.outputOnly();
    socket.end(() => this.#outputEnded());
  }

  #outputEnded(): void {
    const { socket } = this;
    if (socket.destroyed) return;
    super.drained(); // there is no 'drain' event any more
    this.#server.settled();
    if (this.#server.options.lingerTimeout > 0) this.#timer.linger();
    else socket.destroy();
  }

  // ---- time

  expire(now: number): void {
    const { socket } = this;
    if (this.#timer.isStalled(socket, now)) {
      socket.destroy();
      return;
    }
    switch (this.#state) {
      case IDLE:
        if (socket.writableNeedDrain) this.#timer.outputOnly();
        else if (this.#intake.parser.inHead) this.#refuse('headTimeout');
        else this.#beginClosing();
        break;
      case BUSY:
        this.#check(now);
        break;
      case DRAINING:
        this.#beginClosing();
        break;
      case CLOSING:
        if (socket.writableFinished) socket.destroy();
        else this.#timer.outputOnly();
        break;
      default:
    }
  }

  #check(now: number): void {
    if (this.#timer.handlerIsLate(now) && !this.started) {
      this.owner?.exchangeTimedOut();
      if (this.#state !== BUSY) return;
    }
    const { options } = this.#server;
    const intake = this.#intake;
    const reading = intake.streaming;
    if (reading && intake.rate.isTooSlow(now, !intake.heldBack && !this.#continueWanted, options)) {
      const error = new ProtocolError('bodyTooSlow');
      this.#bodyFailed(new RequestPayloadError(error.message, error.status, { cause: error }));
    }
    const watching = (intake.streaming && options.bodyMinRate > 0) || this.socket.writableLength > 0;
    this.#timer.lookAgain(now, watching);
  }
}
