import type { Socket } from 'node:net';
import { DATA, END, ERROR, type Fault, HEAD, ProtocolError, RequestParser } from '../http1/index.ts';
import { type CIMultiDictProxy, StreamReader } from '../message/index.ts';
import { upgradeHead } from './answer-head.ts';
import { AnswerWriter } from './answer-writer.ts';
import { BAD_REQUEST_HEAD } from './bad-request-head.ts';
import { ClientDisconnectedError, RequestPayloadError, ResponseStateError } from './errors.ts';
import type { Endpoint, Exchange, ExchangeOwner, ResponseHead, UpgradedConnection } from './exchange.ts';
import type { Server } from './server.ts';
import type { WheelEntry } from './timer-wheel.ts';

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
const GONE = 5;

/** Pipelined bytes that may wait here for their turn; more wait in the socket. */
const MAX_WAITING_BYTES = 65_536;
/** An unread body larger than this is not worth reading to save a connection. */
const MAX_DRAINED_BYTES = 4_194_304;
/** How often a slow body, or a peer that takes nothing, is looked at. */
const CHECK_INTERVAL = 1_000;

/**
 * HTTP/1.1 on one server socket. The connection is itself the exchange of the request that it answers, so a request costs no
 * object here. Requests are taken one after another (RFC 9112 §9.3.2): what comes early waits, bounded.
 */
export class ServerConnection extends AnswerWriter implements Exchange, WheelEntry {
  error: ProtocolError | undefined;
  body: Uint8Array | StreamReader | undefined;
  trailers: CIMultiDictProxy | undefined;
  owner: ExchangeOwner | undefined;
  readonly secure: boolean;
  deadline: number;
  slot: number;
  readonly #server: Server;
  readonly #parser: RequestParser;
  #state: number;
  #waiting: Buffer[];
  #waitingBytes: number;
  #processing: boolean;
  #flushScheduled: boolean;
  #inputEnded: boolean;
  /** The deadline in force is that of a head: more bytes of the same head must not move it. */
  #headTimed: boolean;
  #messageComplete: boolean;
  #continueWanted: boolean;
  #stream: StreamReader | undefined;
  #paused: boolean;
  #drainedBytes: number;
  #handlerDeadline: number;
  #bodyBytes: number;
  #bodyTime: number;
  #checkedAt: number;
  #stalledSince: number;
  #stalledLength: number;
  #remote: Endpoint | undefined;
  readonly #detach: () => void;

  constructor(server: Server, socket: Socket) {
    super(socket);
    this.error = undefined;
    this.body = undefined;
    this.trailers = undefined;
    this.owner = undefined;
    this.secure = 'encrypted' in socket;
    this.deadline = Infinity;
    this.slot = -1;
    this.#server = server;
    this.#parser = new RequestParser(server.options);
    this.#state = IDLE;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#processing = false;
    this.#flushScheduled = false;
    this.#inputEnded = false;
    this.#headTimed = true;
    this.#messageComplete = true;
    this.#continueWanted = false;
    this.#stream = undefined;
    this.#paused = false;
    this.#drainedBytes = 0;
    this.#handlerDeadline = Infinity;
    this.#bodyBytes = 0;
    this.#bodyTime = 0;
    this.#checkedAt = 0;
    this.#stalledSince = Infinity;
    this.#stalledLength = 0;
    this.#remote = undefined;
    this.#arm(server.options.headersTimeout);
    const onData = (chunk: Buffer): void => this.#onData(chunk);
    const onEnd = (): void => this.#onEnd();
    const onDrain = (): void => this.#onDrain();
    this.#detach = () => socket.off('data', onData).off('end', onEnd).off('drain', onDrain);
    socket.on('data', onData).on('end', onEnd).on('drain', onDrain);
    socket.on('error', () => {}); // 'close' follows and says all that matters
    socket.on('close', () => this.#onClose());
  }

  get remote(): Endpoint | undefined {
    return (this.#remote ??= endpoint(this.socket.remoteAddress, this.socket.remotePort));
  }

  get local(): Endpoint | undefined {
    return endpoint(this.socket.localAddress, this.socket.localPort);
  }

  get dateLine(): string {
    return this.#server.date.line;
  }

  get serverLine(): string {
    return this.#server.serverLine;
  }

  get serverHeader(): string | undefined {
    return this.#server.options.serverHeader || undefined;
  }

  /** A request is in hand, or its answer still on the way: a shutdown has to wait for it. */
  get busy(): boolean {
    if (this.#state === CLOSING) return !this.socket.writableFinished;
    return this.#state === BUSY || this.#state === UPGRADED;
  }

  sendContinue(): void {
    if (!this.#continueWanted || this.started) return;
    this.#continueWanted = false;
    this.output.text('HTTP/1.1 100 Continue\r\n\r\n');
    this.output.flush();
  }

  upgrade(head: ResponseHead): UpgradedConnection {
    if (this.started || this.#state !== BUSY || !this.#messageComplete) {
      throw new ResponseStateError('Only a request that was read and not answered yet can be upgraded');
    }
    const text = upgradeHead(head, this);
    this.started = true;
    this.bytesSent += text.length;
    this.output.text(text);
    this.output.flush();
    this.#state = UPGRADED;
    this.answering = false;
    this.#server.wheel.remove(this);
    const { socket } = this;
    this.#detach();
    socket.pause();
    const buffered = Buffer.concat([this.#parser.takeRest(), ...this.#waiting]);
    this.#waiting = [];
    return { socket, buffered };
  }

  abort(): void {
    this.cut();
  }

  /** Ends the connection if it is idle, else as soon as its answer is sent. */
  closeWhenIdle(): void {
    this.keepAlive = false;
    if (this.#state === IDLE || this.#state === DRAINING) this.#beginClosing();
  }

  /** Ends the connection now, whatever it is doing. */
  destroy(): void {
    this.socket.destroy();
  }

  expire(now: number): void {
    switch (this.#state) {
      case IDLE:
        if (this.socket.writableNeedDrain) this.#checkOutput(now);
        else if (this.#parser.inHead) this.#refuse('headTimeout');
        else this.#beginClosing();
        break;
      case BUSY:
        this.#check(now);
        break;
      case DRAINING:
        this.#beginClosing();
        break;
      case CLOSING:
        if (this.socket.writableFinished) this.socket.destroy();
        else this.#checkOutput(now);
        break;
      default:
    }
  }

  // ---- input

  #onData(chunk: Buffer): void {
    switch (this.#state) {
      case IDLE:
        this.#parser.feed(chunk);
        this.#process();
        break;
      case BUSY:
        if (this.#messageComplete) {
          this.#wait(chunk);
          break;
        }
        this.#parser.feed(chunk);
        this.#readBody();
        break;
      case DRAINING:
        this.#parser.feed(chunk);
        this.#drainedBytes += chunk.length;
        if (this.#drainedBytes > MAX_DRAINED_BYTES) this.#beginClosing();
        else this.#readBody();
        break;
      default: // CLOSING: dropped, so that the peer can read our answer before it sees the end
    }
  }

  /** Bytes of later requests: kept up to a bound, then left in the socket. */
  #wait(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#pause();
  }

  /** Takes requests as long as there are some and the one before is answered. All answers leave in one write. */
  #process(): void {
    if (this.#processing) return;
    this.#processing = true;
    const parser = this.#parser;
    while (this.#state === IDLE && !this.socket.writableNeedDrain) {
      const event = parser.next();
      if (event === HEAD) {
        this.#begin();
      } else if (event === ERROR) {
        this.#beginError(parser.error!);
      } else if (!this.#feedWaiting()) {
        break;
      }
    }
    this.#processing = false;
    if (this.#state === IDLE) this.#settleIdle();
    // Answers that are still being made will follow shortly: let them join this write.
    if (this.#state === BUSY && parser.buffered > 0) this.outputAdded();
    else this.output.flush();
    if (this.#state === CLOSING) this.#endOutput();
  }

  #feedWaiting(): boolean {
    if (this.#waiting.length === 0) return false;
    const chunks = this.#waiting;
    this.#parser.feed(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#resume();
    return true;
  }

  /** No request is in hand and no more bytes are here. */
  #settleIdle(): void {
    if (this.socket.writableNeedDrain) {
      this.#pause();
      this.#arm(CHECK_INTERVAL);
      return;
    }
    this.#resume();
    if (this.#inputEnded || !this.#server.accepting) {
      this.#beginClosing();
      return;
    }
    const { headersTimeout, keepAliveTimeout } = this.#server.options;
    const { inHead } = this.#parser;
    if (!inHead) this.#arm(keepAliveTimeout);
    else if (!this.#headTimed) this.#arm(headersTimeout);
    this.#headTimed = inHead;
  }

  #begin(): void {
    const parser = this.#parser;
    const { head } = parser;
    this.#headTimed = false;
    this.deadline = Infinity;
    this.beginAnswer(head);
    this.#state = BUSY;
    this.error = undefined;
    this.trailers = undefined;
    this.keepAlive = head.keepAlive && head.method !== 'CONNECT';
    this.#continueWanted = head.expectContinue && head.version.minor === 1;
    this.#stream = undefined;
    if (head.contentLength <= 0 && !head.chunked) {
      parser.next(); // END
      this.#messageComplete = true;
      this.body = undefined;
    } else {
      this.#messageComplete = false;
      this.#beginBody();
      if (this.#state !== BUSY) return;
    }
    const { handlerTimeout } = this.#server.options;
    if (handlerTimeout > 0) {
      this.#handlerDeadline = this.#server.wheel.now + handlerTimeout;
      this.#armSooner(handlerTimeout);
    }
    this.#server.requestsCount++;
    this.#server.handler(this);
  }

  /** A body that is here already is handed over as it is; any other becomes a stream. */
  #beginBody(): void {
    const parser = this.#parser;
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    for (;;) {
      const event = parser.next();
      if (event === DATA) {
        if (first === undefined) first = parser.data;
        else (more ??= [first]).push(parser.data);
      } else if (event === END) {
        this.#messageComplete = true;
        this.trailers = parser.trailers;
        this.body = more === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(more);
        return;
      } else if (event === ERROR) {
        this.#beginError(parser.error!);
        return;
      } else {
        break;
      }
    }
    const stream = new StreamReader({ pause: () => this.#pause(), resume: () => this.#resume() });
    this.#stream = stream;
    this.body = stream;
    for (const data of more ?? (first === undefined ? [] : [first])) stream.feedData(data);
    this.#bodyBytes = 0;
    this.#bodyTime = 0;
    this.#checkedAt = this.#server.wheel.now;
    const { bodyGracePeriod, bodyMinRate } = this.#server.options;
    if (bodyMinRate > 0) this.#armSooner(Math.max(bodyGracePeriod, CHECK_INTERVAL));
  }

  #readBody(): void {
    const parser = this.#parser;
    const stream = this.#state === BUSY ? this.#stream : undefined;
    for (;;) {
      const event = parser.next();
      if (event === DATA) {
        this.#bodyBytes += parser.data.length;
        stream?.feedData(parser.data);
      } else if (event === END) {
        this.#messageComplete = true;
        this.trailers = parser.trailers;
        stream?.feedEof();
        if (this.#state === DRAINING) this.#goOn();
        return;
      } else {
        if (event === ERROR) this.#bodyFailed(parser.error!);
        return;
      }
    }
  }

  /** The framing of the body is broken: what follows means nothing, and the handler hears of it when it reads. */
  #bodyFailed(error: ProtocolError): void {
    this.keepAlive = false;
    this.#messageComplete = true;
    if (this.#state === DRAINING) {
      this.#beginClosing();
      return;
    }
    this.#stream?.setException(new RequestPayloadError(error.message, error.status, { cause: error }));
  }

  #refuse(fault: Fault): void {
    this.#processing = true;
    this.#beginError(new ProtocolError(fault));
    this.#processing = false;
    this.output.flush();
    if (this.#state === CLOSING) this.#endOutput();
  }

  /** A request that cannot be understood is answered like any other, then the connection closes. */
  #beginError(error: ProtocolError): void {
    this.deadline = Infinity;
    this.beginAnswer(BAD_REQUEST_HEAD);
    this.isOld = false;
    this.#state = BUSY;
    this.error = error;
    this.body = undefined;
    this.trailers = undefined;
    this.keepAlive = false;
    this.#messageComplete = true;
    this.#continueWanted = false;
    this.#stream = undefined;
    this.#server.requestsCount++;
    this.#server.handler(this);
  }

  // ---- output

  protected settleKeepAlive(): void {
    if (!this.#server.accepting) this.keepAlive = false;
    // A client that half-closed still gets the answers to all that it sent before.
    else if (this.#inputEnded && this.#waitingBytes + this.#parser.buffered === 0) this.keepAlive = false;
    if (this.#messageComplete) return;
    // Whether a client that still waits for 100 sends its body after another answer is anybody's guess.
    const unread = this.#parser.bodyRemaining - this.#parser.buffered;
    const { lingerTimeout } = this.#server.options;
    if (this.#continueWanted || unread > MAX_DRAINED_BYTES || lingerTimeout === 0) this.keepAlive = false;
  }

  protected answerDone(): void {
    const { owner } = this;
    this.owner = undefined;
    this.body = undefined;
    if (this.#stream !== undefined) {
      if (!this.#messageComplete)
        this.#stream.setException(new RequestPayloadError('The request was answered', 400));
      this.#stream = undefined;
    }
    this.#handlerDeadline = Infinity;
    this.#stalledSince = Infinity;
    if (!this.keepAlive) {
      this.#state = CLOSING;
    } else if (!this.#messageComplete) {
      this.#state = DRAINING;
      this.#drainedBytes = 0;
      this.#arm(this.#server.options.lingerTimeout);
      this.#resume();
    } else {
      this.#state = IDLE;
    }
    owner?.exchangeDone(undefined);
    if (this.#processing) return;
    if (this.#state === IDLE) {
      this.#process();
    } else {
      this.output.flush();
      if (this.#state === CLOSING) this.#endOutput();
    }
  }

  protected outputAdded(): void {
    if (this.#flushScheduled || this.output.size === 0) return;
    this.#flushScheduled = true;
    setImmediate(flushScheduled, this);
  }

  /** @internal */
  flushNow(): void {
    this.#flushScheduled = false;
    if (this.#state === GONE) return;
    this.output.flush();
    if (this.socket.writableNeedDrain) this.outputBlocked();
  }

  protected cut(): void {
    this.keepAlive = false;
    this.output.flush();
    if (this.endsByClosing && !this.secure) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  protected outputBlocked(): void {
    this.#armSooner(CHECK_INTERVAL);
  }

  #goOn(): void {
    this.#state = IDLE;
    this.#process();
  }

  #beginClosing(): void {
    this.#state = CLOSING;
    this.#endOutput();
  }

  /** Our side ends; the peer's may go on for a while, or a reset would take the answer away from it. */
  #endOutput(): void {
    const { socket } = this;
    this.output.flush();
    this.#resume();
    this.#arm(CHECK_INTERVAL);
    socket.end(() => {
      this.#server.settled();
      const { lingerTimeout } = this.#server.options;
      if (lingerTimeout > 0) this.#arm(lingerTimeout);
      else socket.destroy();
    });
  }

  #onDrain(): void {
    this.#stalledSince = Infinity;
    this.drained();
    if (this.#state === IDLE) this.#process();
  }

  #onEnd(): void {
    this.#inputEnded = true;
    if (this.#state === BUSY && !this.#messageComplete) {
      this.#messageComplete = true;
      this.keepAlive = false;
      this.#stream?.setException(new RequestPayloadError('The request ended inside its body', 400));
    } else if (this.#state === IDLE && !this.#processing) {
      if (this.#parser.inHead) this.#refuse('incompleteMessage');
      else this.#beginClosing();
    } else if (this.#state === DRAINING) {
      this.#beginClosing();
    }
  }

  #onClose(): void {
    const { answering } = this;
    const upgraded = this.#state === UPGRADED;
    this.#state = GONE;
    this.answering = false;
    this.#server.forget(this);
    const error = new ClientDisconnectedError();
    this.abandonOutput(error);
    this.#stream?.setException(error);
    this.#stream = undefined;
    this.body = undefined;
    const { owner } = this;
    this.owner = undefined;
    if (answering || upgraded) owner?.exchangeDone(upgraded ? undefined : error);
  }

  // ---- time

  #check(now: number): void {
    const { owner } = this;
    if (now >= this.#handlerDeadline) {
      this.#handlerDeadline = Infinity;
      if (!this.started) owner?.exchangeTimedOut();
    }
    if (this.#state !== BUSY) return;
    if (this.#isStalled(now)) {
      this.socket.destroy();
      return;
    }
    this.#checkBody(now);
    let next = this.#handlerDeadline - now;
    if ((this.#stream !== undefined && !this.#messageComplete) || this.socket.writableLength > 0) {
      next = Math.min(next, CHECK_INTERVAL);
    }
    if (next !== Infinity) this.#arm(Math.max(next, 0));
  }

  /** Time in which nobody wanted to read does not count against the client. */
  #checkBody(now: number): void {
    if (this.#stream === undefined || this.#messageComplete) return;
    const { bodyGracePeriod, bodyMinRate } = this.#server.options;
    if (!this.#paused && !this.#continueWanted) this.#bodyTime += now - this.#checkedAt;
    this.#checkedAt = now;
    if (bodyMinRate === 0 || this.#bodyTime < bodyGracePeriod) return;
    if (this.#bodyBytes * 1000 >= bodyMinRate * this.#bodyTime) return;
    const error = new ProtocolError('bodyTooSlow');
    this.keepAlive = false;
    this.#messageComplete = true;
    this.#stream.setException(new RequestPayloadError(error.message, error.status, { cause: error }));
  }

  /** Nothing to do but to wait for the peer: it must take something now and then. */
  #checkOutput(now: number): void {
    if (this.#isStalled(now)) this.socket.destroy();
    else this.#arm(CHECK_INTERVAL);
  }

  /** The peer has taken nothing of what waits for it for `sendTimeout`. */
  #isStalled(now: number): boolean {
    const waiting = this.socket.writableLength;
    if (waiting === 0 || waiting !== this.#stalledLength) {
      this.#stalledLength = waiting;
      this.#stalledSince = now;
      return false;
    }
    const { sendTimeout } = this.#server.options;
    return sendTimeout > 0 && now - this.#stalledSince >= sendTimeout;
  }

  #arm(delay: number): void {
    if (delay > 0) this.#server.wheel.arm(this, delay);
    else this.deadline = Infinity;
  }

  #armSooner(delay: number): void {
    if (this.#server.wheel.now + delay < this.deadline) this.#arm(delay);
  }

  #pause(): void {
    if (this.#paused || this.#state >= CLOSING) return;
    this.#paused = true;
    this.socket.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }
}

function flushScheduled(connection: ServerConnection): void {
  connection.flushNow();
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined || port === undefined ? undefined : { address, port };
}
