import { outside, suspend, TimeoutError } from '../asyncio/index.ts';
import { socketInfo, type UpgradedConnection } from '../net/index.ts';
import type { ReceiveOptions } from './channel-messages.ts';
import type { ChannelOptions, CloseOptions } from './channel-options.ts';
import { CLOSING, ENDING, GONE, OPEN, SendingChannel } from './channel-sending.ts';
import type { WebSocketError } from './errors.ts';
import { ERROR, FrameParser, INFLATING, NEED_MORE } from './frame-parser.ts';
import type { Frame } from './frame-writer.ts';
import { Heartbeat } from './heartbeat.ts';
import { Inbox } from './inbox.ts';
import {
  CLOSED_MESSAGE,
  CLOSING_MESSAGE,
  errorMessage,
  type WSCloseMessage,
  type WSMessage,
  WSMsgType,
} from './message.ts';
import { ReceiveWait } from './receive-wait.ts';
import { listen } from './socket-events.ts';
import { WebSocketStateError } from './state-error.ts';

/** Why nothing is read: it goes on when no reason is left. */
const INBOX_FULL = 1;
const BEING_INFLATED = 2;
const OUTPUT_FULL = 4;

/** Receiving again and again what is closed is a loop that never ends. */
const MOST_CLOSED_RECEIVES = 4;
/** Node's timers take a longer time for 1 ms. */
const LONGEST_TIMER = 2 ** 31 - 1;
const NO_BYTES = new Uint8Array(0);

/**
 * An open WebSocket on a socket, the same for both ends (RFC 6455). One listener of each kind for all sockets, nothing of Node's streams but
 * the socket itself, and per message no more than the promise that its receiver waits for.
 */
export class WebSocketChannel<Text extends string | Uint8Array = string>
  extends SendingChannel<Text>
  implements AsyncDisposable
{
  readonly protocol: string | undefined;
  /** Whether messages may be compressed. */
  readonly compress: boolean;
  /** What the connection was closed with: the peer's code, ours until that is here, 1006 when it never came; `undefined` as long as it is open. */
  closeCode: number | undefined;
  /** The peer's close frame came. */
  peerClosed: boolean;
  private readonly onClosed: (() => void) | undefined;
  private readonly parser: FrameParser<Text>;
  private readonly heartbeat: Heartbeat | undefined;
  private readonly inbox: Inbox<WSMessage<Text>>;
  private readonly wait: ReceiveWait<WSMessage<Text>>;
  private holds: number;
  /** What comes from now on is nobody's. */
  private inputOver: boolean;
  /** The last thing to be received: CLOSE, ERROR, or CLOSED for a connection that just ended. */
  private final: WSMessage<Text> | undefined;
  private answerScheduled: boolean;
  private closedReceives: number;
  private endTimer: NodeJS.Timeout | undefined;
  private endClose: (() => void) | undefined;

  /**
   * @param connection - the socket, which is paused, and what was read from it behind the handshake
   * @param onClosed - called once, when the socket is closed
   */
  constructor(connection: UpgradedConnection, options: ChannelOptions, onClosed?: () => void) {
    const { socket, buffered } = connection;
    super(socket, options);
    const { role, deflate, heartbeat, maxMsgSize, decodeText } = options;
    this.protocol = options.protocol;
    this.compress = deflate !== undefined;
    this.closeCode = undefined;
    this.peerClosed = false;
    this.onClosed = onClosed;
    const ready = (): void => this.release(BEING_INFLATED);
    this.parser = new FrameParser<Text>({ role, maxMsgSize, decodeText, deflate, ready });
    this.heartbeat = heartbeat === undefined ? undefined : new Heartbeat(heartbeat, this);
    this.inbox = new Inbox();
    this.wait = new ReceiveWait();
    this.holds = 0;
    this.inputOver = false;
    this.final = undefined;
    this.answerScheduled = false;
    this.closedReceives = 0;
    this.endTimer = undefined;
    this.endClose = undefined;
    listen(socket, this);
    if (buffered.length > 0) this.bytesCame(buffered);
    // What has happened to the socket before nobody will tell.
    if (socket.closed) process.nextTick(() => this.socketClosed());
    else if (socket.readableEnded) this.peerEnded();
    else if (this.holds === 0) socket.resume();
  }

  /** It is closed, or being closed: nothing can be sent any more. */
  get closed(): boolean {
    return this.state !== OPEN;
  }

  /** What went wrong, if anything did. */
  exception(): Error | undefined {
    return this.failure;
  }

  /** `'peername'`, `'sockname'`, `'socket'`, and with TLS `'cipher'`, `'peercert'`, `'alpn'`. */
  getExtraInfo(name: string): unknown {
    return socketInfo(this.socket, name as 'socket');
  }

  // ---- receiving

  /**
   * The next message. One that is here already is given at once, in the order in which they came. When the wait for it is cancelled,
   * aborted or takes too long, no message is lost and the WebSocket can be used on.
   *
   * @throws TimeoutError after `timeout` ms; the reason of `signal`
   * @throws WebSocketStateError `AIO_WS_RECEIVING` while another call waits; `AIO_WS_CLOSED` when it was called again and again after the end
   */
  override receive(options?: ReceiveOptions): Promise<WSMessage<Text>> {
    if (this.wait.active) {
      return stateError('AIO_WS_RECEIVING', 'Concurrent call to receive() is not allowed');
    }
    const message = this.takeNow();
    if (message !== undefined) return Promise.resolve(message);
    if (this.closedReceives > MOST_CLOSED_RECEIVES) {
      return stateError('AIO_WS_CLOSED', 'WebSocket connection is closed.');
    }
    return this.wait.begin(options?.timeout ?? this.options.receiveTimeout, options?.signal);
  }

  /** What can be received without a wait. */
  private takeNow(): WSMessage<Text> | undefined {
    const message = this.inbox.shift();
    if (message !== undefined) {
      if ((this.holds & INBOX_FULL) !== 0 && this.inbox.isLow) this.release(INBOX_FULL);
      else if (this.final !== undefined) this.settle();
      return message;
    }
    if (!this.closedHere) {
      if ((this.holds & BEING_INFLATED) !== 0) return undefined;
      if (this.final !== undefined) return this.takeFinal(this.final);
      // The peer has closed, and this end is to answer by itself (`autoclose: false`).
      if (this.state === OPEN) return this.peerClosed ? CLOSING_MESSAGE : undefined;
    }
    return ++this.closedReceives > MOST_CLOSED_RECEIVES ? undefined : CLOSED_MESSAGE;
  }

  private takeFinal(message: WSMessage<Text>): WSMessage<Text> {
    this.answer(message);
    this.final = undefined;
    return message;
  }

  /**
   * Everything before the last message was received. Whoever waits gets it; else the peer is answered as soon as the handler had a turn to
   * send its own answers to what came before (RFC 6455 §5.5.1: as soon as is practical).
   */
  private settle(): void {
    const { final } = this;
    if (final === undefined || this.inbox.length > 0 || (this.holds & BEING_INFLATED) !== 0) return;
    if (this.wait.active) {
      this.wait.deliver(this.takeFinal(final));
    } else if (this.state === OPEN && !this.answerScheduled) {
      this.answerScheduled = true;
      outside(() => setImmediate(answerFinal, this));
    }
  }

  /** @internal */
  answerFinal(): void {
    if (this.final !== undefined) this.answer(this.final);
  }

  /** Sends our close frame in answer to the peer's, or to what it did wrong. */
  private answer(message: WSMessage<Text>): void {
    if (this.state !== OPEN || (message.type === WSMsgType.CLOSE && !this.options.autoclose)) return;
    this.state = ENDING;
    const { closeCode } = this;
    // A close frame without a code is answered in kind.
    this.writeClose(closeCode === 0 ? this.writer.close() : this.writer.close(closeCode));
  }

  // ---- input

  /** @internal */
  bytesCame(chunk: Uint8Array): void {
    this.heartbeat?.seen();
    if (this.inputOver) return;
    this.parser.feed(chunk);
    this.parse();
  }

  private parse(): void {
    const { parser } = this;
    while (!this.inputOver) {
      if (this.inbox.isFull) this.hold(INBOX_FULL);
      if (this.holds !== 0) return;
      switch (parser.next()) {
        case NEED_MORE:
          return;
        case INFLATING:
          this.hold(BEING_INFLATED);
          return;
        case ERROR:
          this.inputFailed(parser.error!);
          return;
        default:
          this.take(parser.message!);
      }
    }
  }

  private take(message: WSMessage<Text>): void {
    switch (message.type) {
      case WSMsgType.CLOSE:
        this.closeCame(message);
        return;
      case WSMsgType.PING:
        if (!this.options.autoping) break;
        if (this.state === OPEN) this.writeSoon(this.writer.frame(WSMsgType.PONG, message.data));
        // A peer that does not take its pongs cannot ask for more of them.
        if (this.output.isFull && this.socket.writableNeedDrain) this.hold(OUTPUT_FULL);
        return;
      case WSMsgType.PONG:
        if (!this.options.autoping) break;
        return;
      default:
    }
    if (this.closedHere) return;
    if (this.wait.active) this.wait.deliver(message);
    else this.inbox.push(message);
  }

  private closeCame(message: WSCloseMessage): void {
    this.peerClosed = true;
    this.closeCode = message.data;
    this.endInput();
    if (!this.closedHere) {
      this.final = message;
      this.settle();
    } else if (this.state === CLOSING) {
      this.state = ENDING;
      if (this.closeWritten) this.endOutput();
      this.endClose?.();
    }
  }

  /** The peer broke the protocol. */
  private inputFailed(error: WebSocketError): void {
    this.failure = error;
    if (this.closedHere) {
      this.abort();
      return;
    }
    this.endInput();
    this.closeCode = error.closeCode;
    this.final = errorMessage(error);
    this.settle();
  }

  /** Nothing more is read but the end. */
  private endInput(): void {
    this.inputOver = true;
    this.holds = 0;
    this.socket.resume();
  }

  private hold(reason: number): void {
    if (this.holds === 0) this.socket.pause();
    this.holds |= reason;
  }

  private release(reason: number): void {
    if ((this.holds & reason) === 0) return;
    this.holds &= ~reason;
    if (this.holds !== 0) return;
    this.parse();
    if (this.holds !== 0) return;
    this.socket.resume();
    this.settle();
  }

  /** @internal The peer ended its side of the connection. */
  peerEnded(): void {
    // One whose close frame is here may still read our answer to it.
    if (this.state === ENDING) this.socket.end();
    else if (!this.inputOver) this.abort();
  }

  // ---- the end

  /**
   * Closes: sends a close frame and waits, up to `closeTimeout`, for the peer's. Messages that were not received yet are dropped, a `receive()` that waits
   * gets CLOSING. `closeCode` is then what the peer answered, or 1006.
   *
   * @returns `false` when it was closed before, or the peer is gone
   * @throws RangeError `AIO_WS_CLOSE_CODE`, `AIO_WS_CLOSE_REASON` for a code or reason that cannot be sent
   * @throws CancelledError when the task is cancelled; the connection is cut then
   */
  async close(options: CloseOptions = {}): Promise<boolean> {
    if (this.state !== OPEN) return false;
    const { code = 1000, message } = options;
    const frame = this.writer.close(code, message);
    this.closedHere = true;
    this.closeCode ??= code;
    this.state = this.inputOver ? ENDING : CLOSING;
    if (this.wait.active) this.wait.deliver(CLOSING_MESSAGE);
    this.inbox.clear();
    this.final = undefined;
    this.writeClose(frame);
    this.release(INBOX_FULL);
    this.release(OUTPUT_FULL);
    if (this.isClosing()) await this.untilClosed();
    return true;
  }

  private isClosing(): boolean {
    return this.state === CLOSING;
  }

  private async untilClosed(): Promise<void> {
    const { closeTimeout } = this.options;
    this.endAfter(closeTimeout, () => {
      this.failure ??= new TimeoutError(`no close frame came within ${closeTimeout} ms`);
      this.abort();
    });
    try {
      await suspend<void>((resolve) => {
        this.endClose = resolve;
      }, 'the close of a WebSocket');
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  private writeClose(frame: Frame | Promise<Frame>): void {
    this.heartbeat?.stop();
    this.writeSoon(frame, () => {
      this.closeWritten = true;
      this.output.flush();
      if (this.state === ENDING) this.endOutput();
    });
  }

  /** The server ends the connection first (RFC 6455 §7.1.1); a peer that does not follow is cut. */
  private endOutput(): void {
    const { socket } = this;
    this.endInput();
    this.endAfter(this.options.closeTimeout, () => socket.destroy());
    if (this.options.role === 'server' && this.peerClosed) socket.destroySoon();
    // What a peer still sends that has not closed would reset the connection, and take our close frame away from it.
    else if (this.options.role === 'server' || socket.readableEnded) socket.end();
  }

  private endAfter(delay: number, end: () => void): void {
    clearTimeout(this.endTimer);
    this.endTimer = outside(() => setTimeout(end, Math.min(delay, LONGEST_TIMER)));
  }

  override abort(): void {
    this.leave();
    this.socket.destroy();
  }

  /** From now on there is no connection. What came before can still be received. */
  protected override leave(): void {
    const { state } = this;
    if (state === GONE) return;
    this.state = GONE;
    if (!this.inputOver) this.closeCode = 1006;
    this.heartbeat?.stop();
    clearTimeout(this.endTimer);
    this.output.fail(this.disconnected());
    this.endClose?.();
    if (this.closedHere) return;
    if (!this.inputOver) this.final ??= CLOSED_MESSAGE;
    this.release(OUTPUT_FULL);
    this.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // ---- what the socket tells

  /** @internal */
  socketFailed(error: Error): void {
    this.failure ??= error;
  }

  /** @internal */
  socketClosed(): void {
    this.leave();
    this.onClosed?.();
  }

  /** @internal */
  socketDrained(): void {
    this.output.drained();
    this.release(OUTPUT_FULL);
  }

  // ---- what the heartbeat tells

  /** @internal */
  get inputHeld(): boolean {
    return this.holds !== 0;
  }

  /** @internal */
  sendPing(): void {
    this.writeSoon(this.writer.frame(WSMsgType.PING, NO_BYTES));
  }

  /** @internal */
  pongMissed(): void {
    const error = new TimeoutError('The peer did not answer the ping of the heartbeat');
    this.failure ??= error;
    if (!this.inputOver && !this.closedHere) this.final = errorMessage(error);
    this.abort();
  }
}

function answerFinal(channel: { answerFinal(): void }): void {
  channel.answerFinal();
}

function stateError(code: 'AIO_WS_RECEIVING' | 'AIO_WS_CLOSED', message: string): Promise<never> {
  return Promise.reject(new WebSocketStateError(code, message));
}
