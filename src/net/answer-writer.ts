import type { Socket } from 'node:net';
import { suspend } from '../asyncio/index.ts';
import {
  CHUNK_END,
  chunkHead,
  FRAME_CHUNKED,
  FRAME_LENGTH,
  FRAME_UNTIL_CLOSE,
  type Frame,
  LAST_CHUNK,
  lastChunk,
} from '../http1/index.ts';
import type { CIMultiDict } from '../message/index.ts';
import { answerHead, type HeadContext, isBodyless, plainHead, upgradeHead } from './answer-head.ts';
import { BAD_REQUEST_HEAD } from './bad-request-head.ts';
import { ClientDisconnectedError, ResponseStateError } from './errors.ts';
import type { Endpoint, RequestHead, ResponseHead } from './exchange.ts';
import type { HeadCache } from './head-cache.ts';
import { Output } from './output.ts';
import { endpoint } from './socket-info.ts';

/** Bodies larger than this go to the socket piece by piece, so that progress can be seen and memory stays bounded. */
const PIECE_SIZE = 262_144;
/** Gathered bytes are given to the socket at this size at the latest. */
const FLUSH_SIZE = 65_536;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The answering half of a server connection: keeps every answer to what its head says (RFC 9112 §6), and the peer's pace. What
 * surrounds an answer (which request, what comes next) is the connection's.
 */
export abstract class AnswerWriter implements HeadContext {
  socket: Socket;
  head: RequestHead;
  keepAlive: boolean;
  started: boolean;
  bytesSent: number;
  isOld: boolean;
  /** @internal */
  protected readonly output: Output;
  /** An answer is being written, or may be. */
  protected answering: boolean;
  #frame: Frame;
  #promised: number;
  #written: number;
  #bodyless: boolean;
  #rest: Uint8Array | undefined;
  #waiters: Waiter[] | undefined;
  #awaitsDrain: boolean;
  #flushScheduled: boolean;

  constructor(socket: Socket) {
    this.socket = socket;
    this.head = BAD_REQUEST_HEAD;
    this.keepAlive = true;
    this.started = false;
    this.bytesSent = 0;
    this.isOld = false;
    this.output = new Output(socket);
    this.answering = false;
    this.#frame = FRAME_LENGTH;
    this.#promised = 0;
    this.#written = 0;
    this.#bodyless = false;
    this.#rest = undefined;
    this.#waiters = undefined;
    this.#awaitsDrain = false;
    this.#flushScheduled = false;
  }

  /** @internal Writes to another socket from now on. */
  protected attachSocket(socket: Socket): void {
    this.socket = socket;
    this.output.attach(socket);
  }

  /** @internal Keeps nothing of the last request. */
  protected forgetAnswer(): void {
    this.head = BAD_REQUEST_HEAD;
  }

  abstract get dateLine(): string;
  abstract get serverLine(): string;
  abstract get heads(): HeadCache;
  /** The answer is complete in the output; `keepAlive` says whether another request may follow. */
  protected abstract answerDone(): void;
  /** Last chance to find out that the connection cannot go on after this answer. */
  protected abstract settleKeepAlive(): void;
  protected abstract cut(): void;
  /** The peer takes less than it is given. */
  protected abstract outputBlocked(): void;

  get secure(): boolean {
    return 'encrypted' in this.socket;
  }

  get remote(): Endpoint | undefined {
    return endpoint(this.socket.remoteAddress, this.socket.remotePort);
  }

  get local(): Endpoint | undefined {
    return endpoint(this.socket.localAddress, this.socket.localPort);
  }

  get method(): string {
    return this.head.method;
  }

  /** @internal A new request begins. */
  protected beginAnswer(head: RequestHead): void {
    this.head = head;
    this.started = false;
    this.bytesSent = 0;
    this.answering = true;
    this.isOld = head.version.minor === 0;
  }

  respond(head: ResponseHead, body: Uint8Array | string | undefined): void {
    this.mustBeNew();
    this.settleKeepAlive();
    const { output } = this;
    const before = output.size;
    const bytes = typeof body === 'string' ? encode(body) : body;
    const size = bytes === undefined ? 0 : bytes.length;
    if (head.ownHeaders === undefined && head.status >= 200 && !head.defaultsSet) {
      output.text(plainHead(head, size, body !== undefined, this.keepAlive, this));
    } else {
      const answer = answerHead(head, size, body !== undefined, this.keepAlive, this);
      this.keepAlive = answer.keepAlive;
      output.text(answer.text);
    }
    this.started = true;
    if (bytes !== undefined && size > 0 && !isBodyless(this.head.method, head.status)) {
      if (typeof bytes === 'string') {
        output.text(bytes);
      } else if (size > PIECE_SIZE) {
        this.bytesSent += output.size - before;
        this.#rest = bytes;
        this.#sendRest();
        return;
      } else {
        output.bytes(bytes);
      }
    }
    this.bytesSent += output.size - before;
    this.#finish();
  }

  /** Sends the head of 101, or of 200 to CONNECT; what goes out afterwards is not HTTP. */
  protected leaveHttp(head: ResponseHead): void {
    const text = upgradeHead(head, this);
    this.started = true;
    this.answering = false;
    this.#text(text);
    this.flush();
  }

  start(head: ResponseHead, length: number | undefined): void {
    this.mustBeNew();
    this.settleKeepAlive();
    const answer = answerHead(head, length, length !== undefined, this.keepAlive, this);
    this.keepAlive = answer.keepAlive;
    this.started = true;
    this.#frame = answer.frame;
    this.#promised = answer.length;
    this.#written = 0;
    this.#bodyless = answer.bodyless;
    this.#text(answer.text);
    this.flushSoon();
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    this.#mustBeStarted('write()');
    const data = typeof chunk === 'string' ? encode(chunk) : chunk;
    const size = data.length;
    if (size === 0 || this.#bodyless) return undefined;
    this.#written += size;
    if (this.#frame === FRAME_LENGTH && this.#written > this.#promised) {
      this.cut();
      throw new ResponseStateError(
        `Content-Length is ${this.#promised}, but ${this.#written} bytes were written: the connection was cut`,
      );
    }
    if (this.#frame === FRAME_CHUNKED) this.#text(chunkHead(size));
    this.#data(data);
    if (this.#frame === FRAME_CHUNKED) this.#text(CHUNK_END);
    this.flush();
    return this.#pace();
  }

  end(trailers?: CIMultiDict): Promise<void> | undefined {
    this.#mustBeStarted('end()');
    if (!this.#bodyless) {
      if (this.#frame === FRAME_LENGTH && this.#written < this.#promised) {
        this.cut();
        throw new ResponseStateError(
          `Content-Length is ${this.#promised}, but only ${this.#written} bytes were written: the connection was cut`,
        );
      }
      if (this.#frame === FRAME_CHUNKED)
        this.#text(trailers === undefined ? LAST_CHUNK : lastChunk(trailers.raw));
      else if (this.#frame === FRAME_UNTIL_CLOSE) this.keepAlive = false;
    }
    this.#finish();
    return this.#pace();
  }

  /** The truncation of such a body can only be seen if the connection is reset instead of closed. */
  protected get endsByClosing(): boolean {
    return this.started && this.#frame === FRAME_UNTIL_CLOSE && this.answering;
  }

  /** The socket took everything: go on with a long body, and with whoever waited. */
  protected drained(): void {
    if (this.#rest !== undefined) this.#sendRest();
    this.#wake(undefined);
  }

  /** The connection is gone: nobody may wait for it any longer. */
  protected abandonOutput(error: Error): void {
    this.#rest = undefined;
    this.#awaitsDrain = false;
    this.output.clear();
    this.#wake(error);
  }

  /** Gives everything to the socket, and listens for the moment when it has taken it. */
  protected flush(): void {
    if (this.output.flush() || this.#awaitsDrain) return;
    const { socket } = this;
    this.#awaitsDrain = true;
    this.outputBlocked();
    socket.once('drain', () => {
      this.#awaitsDrain = false;
      if (this.socket === socket) this.drained();
    });
  }

  /** More may follow in this turn of the loop: all of it leaves in one write. */
  protected flushSoon(): void {
    if (this.#flushScheduled || this.output.size === 0) return;
    this.#flushScheduled = true;
    setImmediate(flushScheduled, this);
  }

  /** @internal */
  flushNow(): void {
    this.#flushScheduled = false;
    if (!this.socket.destroyed) this.flush();
  }

  #sendRest(): void {
    let rest = this.#rest!;
    do {
      const piece = rest.subarray(0, PIECE_SIZE);
      rest = rest.subarray(piece.length);
      this.#rest = rest;
      this.#data(piece);
      this.flush();
    } while (rest.length > 0 && !this.socket.writableNeedDrain && !this.socket.destroyed);
    if (rest.length > 0) return;
    this.#rest = undefined;
    this.#finish();
  }

  #finish(): void {
    this.answering = false;
    if (this.output.size > FLUSH_SIZE) this.flush();
    this.answerDone();
  }

  #text(text: string): void {
    this.bytesSent += text.length;
    this.output.text(text);
  }

  #data(data: Uint8Array | string): void {
    this.bytesSent += data.length;
    if (typeof data === 'string') this.output.text(data);
    else this.output.bytes(data);
  }

  /** A promise while the peer takes less than it is given. */
  #pace(): Promise<void> | undefined {
    if (!this.socket.writableNeedDrain && !this.socket.destroyed) return undefined;
    const wait = this.#drain();
    // Whoever does not wait must not be ended by a client that leaves: no rejection of this promise is unhandled.
    wait.catch(() => {});
    return wait;
  }

  #drain(): Promise<void> {
    if (this.socket.destroyed) return Promise.reject(new ClientDisconnectedError());
    return suspend<void>((resolve, reject) => {
      const waiter: Waiter = { resolve, reject };
      (this.#waiters ??= []).push(waiter);
      return () => {
        const index = this.#waiters?.indexOf(waiter) ?? -1;
        if (index !== -1) this.#waiters!.splice(index, 1);
      };
    });
  }

  #wake(error: Error | undefined): void {
    const waiters = this.#waiters;
    if (waiters === undefined) return;
    this.#waiters = undefined;
    for (const waiter of waiters) {
      if (error === undefined) waiter.resolve();
      else waiter.reject(error);
    }
  }

  /** @throws ClientDisconnectedError, ResponseStateError */
  protected mustBeNew(): void {
    if (this.socket.destroyed) throw new ClientDisconnectedError();
    if (this.started || !this.answering) {
      throw new ResponseStateError('This request was already answered: a second head cannot be sent');
    }
  }

  #mustBeStarted(what: string): void {
    if (this.socket.destroyed) throw new ClientDisconnectedError();
    if (!this.started || !this.answering) {
      throw new ResponseStateError(
        `${what} comes ${this.started ? 'after the end' : 'before the head'} of the answer`,
      );
    }
  }
}

/** ASCII stays a string, which goes out with its head in one write; anything else is encoded now. */
function encode(text: string): string | Uint8Array {
  return Buffer.byteLength(text) === text.length && text.length <= PIECE_SIZE ? text : Buffer.from(text);
}

function flushScheduled(writer: AnswerWriter): void {
  writer.flushNow();
}
