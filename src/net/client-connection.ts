import type { Socket } from 'node:net';
import { suspend } from '../asyncio/index.ts';
import { BODY_UNTIL_CLOSE, DATA, END, ERROR, HEAD, ResponseParser } from '../http1/index.ts';
import { StreamReader } from '../message/index.ts';
import { DEFAULT_MESSAGE_OPTIONS, type MessageOptions, ReceivedMessage } from './client-message.ts';
import { ReadTimeoutError, ResponsePayloadError, ServerDisconnectedError } from './errors.ts';
import { Output } from './output.ts';
import type { SocketReader } from './socket-reader.ts';
import type { TimerWheel, WheelEntry } from './timer-wheel.ts';

/** No message is under way. */
const IDLE = 0;
/** A request was begun; the head of its answer has not come. */
const WAITING = 1;
/** The head has come, the body not all of it. */
const BODY = 2;
/** The answer is complete; nobody has asked for its head yet. */
const UNCLAIMED = 3;
/** The connection belongs to another protocol. */
const TUNNEL = 4;
const GONE = 5;

/** Informational answers (1xx) to one request that may wait to be looked at. */
const MAX_INFORMATIONAL = 16;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Who keeps the connection between messages. */
export interface ConnectionOwner {
  /** A message is over; a reusable connection may carry another one. Exactly once per message. */
  messageEnded(reusable: boolean): void;
  /** The connection ended, or its idle time, while no message was under way. */
  idleEnded(): void;
}

/**
 * Turns what went wrong on a connection into what its users catch.
 * @param inBody - the head of the answer had come
 */
export type FailureTranslator = (cause: Error, inBody: boolean) => Error;

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * HTTP/1.1 on one client socket, one message at a time: `begin`, `write` and `flush` the request, `endRequest`, and `response()` gives
 * the answer, whose body is handed over as bytes when it came with the head, else as a stream that holds the socket back.
 *
 * Whatever happens, the owner is told of the end of a message exactly once, and never before somebody asked for its answer. The
 * connection is reusable when both sides have said all of their message (RFC 9112 §9.3) and nothing is left unread.
 */
export class ClientConnection implements WheelEntry {
  readonly socket: Socket;
  /** Messages begun so far. */
  requestsCount: number;
  owner: ConnectionOwner | undefined;
  deadline: number;
  slot: number;
  private readonly wheel: TimerWheel;
  private readonly reader: SocketReader | undefined;
  private readonly translate: FailureTranslator;
  private parser: ResponseParser;
  private readonly output: Output;
  private options: MessageOptions;
  private state: number;
  private method: string;
  private requestEnded: boolean;
  private keepAlive: boolean;
  private paused: boolean;
  private informational: ReceivedMessage[] | undefined;
  private message: ReceivedMessage | undefined;
  private claimed: boolean;
  private stream: StreamReader | undefined;
  private failure: Error | undefined;
  private headWaiter: Waiter<ReceivedMessage> | undefined;
  private drainWaiter: Waiter<void> | undefined;
  private readonly detach: () => void;

  /**
   * @param reader - what the socket was opened with; without one `'data'` is listened to
   * @param translate - default: body failures become ResponsePayloadError, others stay what they are
   */
  constructor(
    socket: Socket,
    wheel: TimerWheel,
    reader?: SocketReader,
    translate: FailureTranslator = lowLevelFailure,
  ) {
    this.socket = socket;
    this.requestsCount = 0;
    this.owner = undefined;
    this.deadline = Infinity;
    this.slot = -1;
    this.wheel = wheel;
    this.reader = reader;
    this.translate = translate;
    this.options = DEFAULT_MESSAGE_OPTIONS;
    this.parser = new ResponseParser(this.options.limits);
    this.output = new Output(socket);
    this.state = IDLE;
    this.method = 'GET';
    this.requestEnded = true;
    this.keepAlive = true;
    this.paused = false;
    this.informational = undefined;
    this.message = undefined;
    this.claimed = false;
    this.stream = undefined;
    this.failure = undefined;
    this.headWaiter = undefined;
    this.drainWaiter = undefined;
    const onData = (chunk: Buffer): boolean => {
      this.onData(chunk);
      return true;
    };
    const onEnd = (): void => this.onEnd();
    const onDrain = (): void => this.onDrain();
    const onError = (error: Error): void => this.fail(error);
    const onClose = (): void => this.onClose();
    if (reader !== undefined) reader.sink = onData;
    else socket.on('data', onData);
    socket.on('end', onEnd).on('drain', onDrain).on('error', onError).on('close', onClose);
    // What is left is the error listener, so that nothing is thrown before the next owner listens, and 'close'.
    this.detach = () => socket.off('data', onData).off('end', onEnd).off('drain', onDrain);
  }

  /** The connection cannot carry another message. */
  get closed(): boolean {
    return this.state >= TUNNEL || this.socket.destroyed;
  }

  /** A message is under way. */
  get busy(): boolean {
    return this.state === WAITING || this.state === BODY;
  }

  /** Begins a message: the next final answer is to a request with this method. */
  begin(method: string, options: MessageOptions = DEFAULT_MESSAGE_OPTIONS): void {
    if (this.state !== IDLE) {
      if (this.state === GONE) return;
      throw new Error('begin() while another message is under way on this connection');
    }
    if (options.limits !== this.options.limits) this.parser = new ResponseParser(options.limits);
    this.options = options;
    this.state = WAITING;
    this.method = method;
    this.requestsCount++;
    this.requestEnded = false;
    this.claimed = false;
    this.message = undefined;
    this.parser.expect(method);
    this.progress();
  }

  /** Puts a head (latin1 text) or bytes into the next write. */
  write(part: string | Uint8Array): void {
    if (typeof part === 'string') this.output.text(part);
    else this.output.bytes(part);
  }

  /**
   * Sends what was written. Wait for the promise, if there is one, before writing more.
   * @throws what ended the connection, as a rejection; also when the answer was complete before the request
   */
  flush(): Promise<void> | undefined {
    if (this.state >= UNCLAIMED || this.state === IDLE) {
      this.output.clear();
      return rejected(this.failure ?? notWaited());
    }
    this.output.flush();
    this.progress();
    if (!this.socket.writableNeedDrain) return undefined;
    return suspend<void>((resolve, reject) => {
      this.drainWaiter = { resolve, reject };
      return () => {
        this.drainWaiter = undefined;
      };
    }, 'sending a request');
  }

  /** The whole request was written (and flushed): without this the connection is not used again. */
  endRequest(): void {
    this.requestEnded = true;
    this.progress();
  }

  /**
   * The next answer: informational ones (1xx except 101) come as well, and the final one follows.
   * @throws ServerDisconnectedError when the connection ends first, ReadTimeoutError, ProtocolError, as translated
   */
  response(): Promise<ReceivedMessage> {
    const early = this.informational?.shift();
    if (early !== undefined) return Promise.resolve(early);
    const { message } = this;
    if (message !== undefined && !this.claimed) {
      this.claim();
      return Promise.resolve(message);
    }
    if (this.failure !== undefined) return rejected(this.failure);
    if (!this.busy || this.claimed) throw new Error('response() without a request that waits for one');
    return suspend<ReceivedMessage>((resolve, reject) => {
      this.headWaiter = { resolve, reject };
      return () => {
        this.headWaiter = undefined;
      };
    }, 'a response');
  }

  /**
   * Leaves HTTP behind, after 101 or a 2xx to CONNECT: the socket, paused, and the bytes that were read behind the head. The message
   * counts as under way until the socket closes.
   */
  upgrade(): { socket: Socket; buffered: Uint8Array } {
    const { socket, reader } = this;
    this.detach();
    socket.pause();
    this.state = TUNNEL;
    this.wheel.remove(this);
    // The next owner listens to 'data' as on any socket, so what is read goes into the stream from now on.
    if (reader !== undefined) {
      reader.bulk = false;
      reader.sink = (chunk) => socket.push(chunk);
    }
    return { socket, buffered: this.parser.takeRest() };
  }

  /** Gives up the message that is under way: the connection is closed unless the message was over. */
  abandon(): void {
    if (this.state === UNCLAIMED) this.claim();
    else if (this.state !== IDLE) this.close();
  }

  /** Waits at most this many milliseconds for the next message, without keeping the process alive. */
  rest(keepAlive: number): void {
    this.socket.unref();
    this.wheel.arm(this, keepAlive);
  }

  /** A message will begin soon. */
  wake(): void {
    this.socket.ref();
    this.deadline = Infinity;
  }

  /** Ends the connection; a message under way fails. */
  close(error?: Error): void {
    this.fail(error ?? new ServerDisconnectedError('The connection was closed'));
    this.socket.destroy();
  }

  expire(): void {
    const { sockRead } = this.options;
    if (this.state === IDLE) {
      this.fail(new ServerDisconnectedError('The connection was idle for too long'));
    } else if (
      (this.state === BODY && this.paused) ||
      (!this.requestEnded && this.drainWaiter === undefined)
    ) {
      // Nobody reads, or nobody writes: the silence is ours.
      this.wheel.arm(this, sockRead);
    } else if (this.busy) {
      this.fail(new ReadTimeoutError(sockRead));
    }
  }

  private onData(chunk: Buffer): void {
    switch (this.state) {
      case WAITING:
        this.progress();
        this.parser.feed(chunk);
        this.readHead();
        break;
      case BODY:
        this.progress();
        this.parser.feed(chunk);
        // 101 and CONNECT: what follows is not HTTP and waits in the parser for `upgrade()`.
        if (this.stream !== undefined) this.readBody();
        break;
      case IDLE:
      case UNCLAIMED:
        // Data that answers nothing cannot be trusted to be the beginning of the next answer (RFC 9112 §9.3).
        this.fail(new ServerDisconnectedError('The server sent data that nobody asked for'));
        break;
      default:
    }
  }

  private progress(): void {
    const { sockRead } = this.options;
    if (sockRead > 0 && this.busy) this.wheel.arm(this, sockRead);
  }

  private readHead(): void {
    const { parser } = this;
    for (;;) {
      const event = parser.next();
      if (event === ERROR) {
        this.fail(parser.error!);
        return;
      }
      if (event !== HEAD) return;
      const { head } = parser;
      if (head.status >= 200 || head.status === 101) {
        this.readFinal(new ReceivedMessage(head));
        return;
      }
      parser.next(); // END: an informational answer has no body
      if (!this.passOn(new ReceivedMessage(head))) return;
    }
  }

  /** Hands an informational answer to who waits, or keeps it. */
  private passOn(message: ReceivedMessage): boolean {
    const waiter = this.headWaiter;
    if (waiter !== undefined) {
      this.headWaiter = undefined;
      waiter.resolve(message);
      return true;
    }
    const waiting = (this.informational ??= []);
    if (waiting.length === MAX_INFORMATIONAL) {
      this.fail(
        new ResponsePayloadError(`The server sent more than ${MAX_INFORMATIONAL} informational answers`),
      );
      return false;
    }
    waiting.push(message);
    return true;
  }

  private readFinal(message: ReceivedMessage): void {
    const { parser } = this;
    const { head } = message;
    this.message = message;
    this.keepAlive = head.keepAlive;
    this.state = BODY;
    if (head.status === 101 || (this.method === 'CONNECT' && head.status < 300)) {
      this.socket.pause();
      this.deliver(message);
      return;
    }
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    for (;;) {
      const event = parser.next();
      if (event === DATA) {
        if (first === undefined) first = parser.data;
        else (more ??= [first]).push(parser.data);
      } else if (event === END) {
        message.body = more === undefined ? first : Buffer.concat(more);
        message.trailers = parser.trailers;
        if (first === undefined && (head.chunked || head.contentLength === 0)) message.body = NO_BYTES;
        this.deliverWhole(message);
        return;
      } else {
        break;
      }
    }
    if (parser.bodyKind === BODY_UNTIL_CLOSE && !this.options.readUntilEof) {
      this.deliverWhole(message);
      return;
    }
    const stream = new StreamReader(
      { pause: () => this.pause(stream), resume: () => this.resume(stream) },
      this.options.readBufferSize,
    );
    this.stream = stream;
    message.body = stream;
    if (this.reader !== undefined) this.reader.bulk = true;
    if (more !== undefined) for (const data of more) stream.feedData(data);
    else if (first !== undefined) stream.feedData(first);
    this.deliver(message);
    if (parser.error !== undefined) this.fail(parser.error);
  }

  private readBody(): void {
    const { parser } = this;
    for (;;) {
      const event = parser.next();
      if (event === DATA) {
        this.stream?.feedData(parser.data);
      } else if (event === END) {
        this.endBody();
        return;
      } else {
        if (event === ERROR) this.fail(parser.error!);
        return;
      }
    }
  }

  private endBody(): void {
    this.message!.trailers = this.parser.trailers;
    const stream = this.stream!;
    this.complete();
    stream.feedEof();
  }

  /** The answer is complete. Bytes behind it mean that the server is out of step. */
  private complete(): void {
    this.deadline = Infinity;
    this.stream = undefined;
    if (this.reader !== undefined) this.reader.bulk = false;
    if (this.paused) {
      this.paused = false;
      this.socket.resume();
    }
    this.keepAlive &&= this.requestEnded && this.parser.idle && !this.socket.writableNeedDrain;
    this.state = UNCLAIMED;
    if (this.claimed) this.endMessage();
  }

  /** Somebody takes the answer. */
  private claim(): void {
    this.claimed = true;
    if (this.state === UNCLAIMED) this.endMessage();
  }

  private deliver(message: ReceivedMessage): void {
    const waiter = this.headWaiter;
    if (waiter === undefined) return;
    this.headWaiter = undefined;
    this.claimed = true;
    waiter.resolve(message);
  }

  /** The whole answer in one go: the next message may begin before the one who waits for this one looks at it. */
  private deliverWhole(message: ReceivedMessage): void {
    const waiter = this.headWaiter;
    this.headWaiter = undefined;
    this.claimed = waiter !== undefined;
    this.complete();
    waiter?.resolve(message);
  }

  private endMessage(): void {
    const reusable = this.keepAlive;
    if (reusable) {
      this.state = IDLE;
    } else {
      this.state = GONE;
      this.wheel.remove(this);
      this.output.clear();
      this.socket.destroy();
      this.rejectDrain();
    }
    this.owner?.messageEnded(reusable);
  }

  private onEnd(): void {
    // The end of the connection ends a body without length, and cuts any other (RFC 9112 §8).
    if (this.state === BODY && this.stream !== undefined) {
      for (;;) {
        const event = this.parser.finish();
        if (event === DATA) {
          this.stream.feedData(this.parser.data);
        } else {
          if (event !== END) break;
          this.keepAlive = false;
          this.endBody();
          return;
        }
      }
    }
    this.fail(new ServerDisconnectedError());
  }

  private onClose(): void {
    if (this.state === TUNNEL) {
      this.state = GONE;
      this.owner?.messageEnded(false);
    } else {
      this.fail(new ServerDisconnectedError());
    }
  }

  private fail(cause: Error): void {
    const { state, stream } = this;
    if (state >= TUNNEL) return;
    this.state = GONE;
    this.wheel.remove(this);
    this.output.clear();
    this.stream = undefined;
    const inBody = state === BODY;
    this.failure = this.translate(inBody ? this.bodyFailure(cause) : cause, inBody);
    this.socket.destroy();
    stream?.setException(this.failure);
    this.rejectDrain();
    const waiter = this.headWaiter;
    this.headWaiter = undefined;
    waiter?.reject(this.failure);
    if (state === IDLE) this.owner?.idleEnded();
    else this.owner?.messageEnded(false);
  }

  private bodyFailure(cause: Error): Error {
    if (!(cause instanceof ServerDisconnectedError) || this.stream === undefined) return cause;
    const { head } = this.message!;
    if (head.chunked) {
      return new ServerDisconnectedError('Not enough data to satisfy transfer length header.');
    }
    if (head.contentLength < 0) return cause;
    const received = head.contentLength - this.parser.bodyRemaining;
    return new ServerDisconnectedError(
      `Not enough data to satisfy content length header (received ${received} of ${head.contentLength} bytes).`,
    );
  }

  private rejectDrain(): void {
    const waiter = this.drainWaiter;
    this.drainWaiter = undefined;
    waiter?.reject(this.failure ?? notWaited());
  }

  private onDrain(): void {
    this.progress();
    const waiter = this.drainWaiter;
    this.drainWaiter = undefined;
    waiter?.resolve();
  }

  private pause(stream: StreamReader): void {
    if (this.paused || this.stream !== stream) return;
    this.paused = true;
    this.socket.pause();
  }

  private resume(stream: StreamReader): void {
    if (!this.paused || this.stream !== stream) return;
    this.paused = false;
    this.progress();
    this.socket.resume();
  }
}

/** What a reader of the body is told: a wait that timed out stays what it is. */
function lowLevelFailure(cause: Error, inBody: boolean): Error {
  if (!inBody || cause instanceof ReadTimeoutError) return cause;
  return new ResponsePayloadError(`Response payload is not completed: ${cause.message}`, { cause });
}

function notWaited(): Error {
  return new ServerDisconnectedError('The server answered and did not wait for the whole request');
}

/** A rejection that need not be looked at: the same error comes out of `response()`. */
function rejected(error: Error): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}
