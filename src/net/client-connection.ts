import type { Socket } from 'node:net';
import { type Arm, suspend } from '../asyncio/index.ts';
import type { StreamFlow } from '../message/index.ts';
import {
  type ConnectionOwner,
  DEFAULT_MESSAGE_OPTIONS,
  type FailureTranslator,
  lowLevelFailure,
  type MessageOptions,
  type ReceivedMessage,
} from './client-message.ts';
import { ReadTimeoutError, ServerDisconnectedError } from './errors.ts';
import { Output } from './output.ts';
import { BROKEN, ENDED, OPENED, ResponseIntake, SWITCHED, WHOLE } from './response-intake.ts';
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
  private intake: ResponseIntake;
  private readonly flow: StreamFlow;
  private readonly output: Output;
  private options: MessageOptions;
  private state: number;
  private requestEnded: boolean;
  private keepAlive: boolean;
  private paused: boolean;
  private claimed: boolean;
  private failure: Error | undefined;
  private headWaiter: Waiter<ReceivedMessage> | undefined;
  private drainWaiter: Waiter<void> | undefined;
  /** What a wait for a head is made of: the same for every message. */
  private readonly awaitHead: Arm<ReceivedMessage>;
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
    this.flow = {
      pause: () => this.pause(),
      resume: () => this.resume(),
      readWhole: (queued) => this.reader?.reserve(queued, this.intake.parser.bodyRemaining),
    };
    this.intake = new ResponseIntake(this.flow, this.options);
    this.output = new Output(socket);
    this.state = IDLE;
    this.requestEnded = true;
    this.keepAlive = true;
    this.paused = false;
    this.claimed = false;
    this.failure = undefined;
    this.headWaiter = undefined;
    this.drainWaiter = undefined;
    const forgetHead = (): void => void (this.headWaiter = undefined);
    this.awaitHead = (resolve, reject) => {
      this.headWaiter = { resolve, reject };
      return forgetHead;
    };
    const onData = (chunk: Buffer): boolean => {
      this.onData(chunk);
      return true;
    };
    const onEnd = (): void => this.onEnd();
    const onDrain = (): void => this.onDrain();
    const onError = (error: Error): void => this.fail(error);
    const onClose = (): void => this.onClose();
    if (reader !== undefined) reader.sink = onData;
    // Whoever set the connection up may have paused it.
    else socket.on('data', onData).resume();
    socket.on('end', onEnd).on('drain', onDrain).on('error', onError).on('close', onClose);
    // What is left is the error listener, so that nothing is thrown before the next owner listens, and 'close'.
    this.detach = () => socket.off('data', onData).off('end', onEnd).off('drain', onDrain);
    if (reader?.early === true) this.fail(unasked());
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
    if (options.limits !== this.options.limits) this.intake = new ResponseIntake(this.flow, options);
    this.options = options;
    this.state = WAITING;
    this.requestsCount++;
    this.requestEnded = false;
    this.claimed = false;
    this.intake.expect(method, options);
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
    const { message, informational } = this.intake;
    const early = informational?.shift();
    if (early !== undefined) return Promise.resolve(early);
    if (message !== undefined && !this.claimed) {
      this.claim();
      return Promise.resolve(message);
    }
    if (this.failure !== undefined) return rejected(this.failure);
    if (!this.busy || this.claimed) throw new Error('response() without a request that waits for one');
    return suspend<ReceivedMessage>(this.awaitHead, 'a response');
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
      reader.setBulk(false);
      reader.sink = (chunk) => socket.push(chunk);
    }
    return { socket, buffered: this.intake.parser.takeRest() };
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

  /** Ends the connection; a message under way fails, with `error` as it is when there is one. */
  close(error?: Error): void {
    this.fail(error ?? new ServerDisconnectedError('The connection was closed'), error);
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
      this.fail(new ReadTimeoutError(sockRead, this.drainWaiter !== undefined));
    }
  }

  private onData(chunk: Buffer): void {
    const { state, intake } = this;
    if (state === WAITING || state === BODY) {
      this.progress();
      this.reactTo(intake.take(chunk));
    } else if (state !== GONE) {
      // Data that answers nothing cannot be trusted to be the beginning of the next answer (RFC 9112 §9.3).
      this.fail(unasked());
    }
  }

  private progress(): void {
    const { sockRead } = this.options;
    if (sockRead > 0 && this.busy) this.wheel.arm(this, sockRead);
  }

  private reactTo(result: number): void {
    const { intake } = this;
    const { informational } = intake;
    if (informational !== undefined && informational.length > 0 && this.headWaiter !== undefined) {
      this.deliver(informational.shift()!);
    }
    switch (result) {
      case WHOLE:
        this.deliverWhole();
        break;
      case OPENED:
        this.state = BODY;
        this.reader?.setBulk(true);
        this.deliverFinal();
        if (intake.error !== undefined) this.fail(intake.error);
        break;
      case SWITCHED:
        this.state = BODY;
        this.socket.pause();
        this.deliverFinal();
        break;
      case ENDED:
        this.endBody();
        break;
      case BROKEN:
        this.fail(intake.error!);
        break;
      default:
    }
  }

  private endBody(): void {
    const stream = this.intake.stream!;
    this.complete();
    stream.feedEof();
  }

  /** The answer is complete. Bytes behind it mean that the server is out of step. */
  private complete(): void {
    const { intake } = this;
    this.deadline = Infinity;
    intake.stream = undefined;
    this.reader?.setBulk(false);
    if (this.paused) {
      this.paused = false;
      this.socket.resume();
    }
    this.keepAlive &&=
      intake.message!.head.keepAlive &&
      this.requestEnded &&
      intake.parser.idle &&
      !this.socket.writableNeedDrain;
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
    this.headWaiter = undefined;
    waiter?.resolve(message);
  }

  private deliverFinal(): void {
    this.claimed = this.headWaiter !== undefined;
    this.deliver(this.intake.message!);
  }

  /** The whole answer in one go: the next message may begin before the one who waits for this one looks at it. */
  private deliverWhole(): void {
    const waiter = this.headWaiter;
    const message = this.intake.message!;
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
    if (this.state === BODY && this.intake.finish() === ENDED) {
      this.keepAlive = false;
      this.endBody();
    } else {
      this.fail(new ServerDisconnectedError());
    }
  }

  private onClose(): void {
    if (this.state === TUNNEL) {
      this.state = GONE;
      this.owner?.messageEnded(false);
    } else {
      this.fail(new ServerDisconnectedError());
    }
  }

  /** @param given what the owner closed the connection with: nothing needs to be made of it */
  private fail(cause: Error, given?: Error): void {
    const { state, intake } = this;
    const { stream } = intake;
    if (state >= TUNNEL) return;
    this.state = GONE;
    this.wheel.remove(this);
    this.output.clear();
    const inBody = state === BODY;
    const missing = cause instanceof ServerDisconnectedError ? intake.missing() : undefined;
    this.failure = given ?? this.translate(missing ?? cause, inBody);
    intake.stream = undefined;
    this.socket.destroy();
    stream?.setException(this.failure);
    this.rejectDrain();
    const waiter = this.headWaiter;
    this.headWaiter = undefined;
    waiter?.reject(this.failure);
    if (state === IDLE) this.owner?.idleEnded();
    else this.owner?.messageEnded(false);
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

  private pause(): void {
    if (this.paused || !this.busy) return;
    this.paused = true;
    this.socket.pause();
  }

  private resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.progress();
    this.socket.resume();
  }
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

function unasked(): Error {
  return new ServerDisconnectedError('The server sent data that nobody asked for');
}
