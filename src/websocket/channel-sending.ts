import type { Socket } from 'node:net';
import { cancellable } from '../asyncio/index.ts';
import { ClientDisconnectedError, ServerDisconnectedError } from '../net/index.ts';
import { ChannelMessages } from './channel-messages.ts';
import type { ChannelOptions } from './channel-options.ts';
import { FrameOutput } from './frame-output.ts';
import { type Frame, FrameWriter } from './frame-writer.ts';
import { WebSocketStateError } from './state-error.ts';

/** Messages go both ways. */
export const OPEN = 0;
/** Our close frame is sent, or on its way; the peer's is waited for. */
export const CLOSING = 1;
/** No frame is waited for any more, only the end of the connection. */
export const ENDING = 2;
/** There is no connection any more. */
export const GONE = 3;

const DEFAULT_SEND_TIMEOUT = 60_000;

/** Where nothing has to be waited for. */
const DONE: Promise<void> = Promise.resolve();

const ignore = (): void => {};

/** The half of a channel that sends. */
export abstract class SendingChannel<Text extends string | Uint8Array> extends ChannelMessages<Text> {
  protected readonly socket: Socket;
  protected readonly options: ChannelOptions;
  protected readonly writer: FrameWriter;
  protected readonly output: FrameOutput;
  protected state: number;
  /** This end closed it first: messages that still come are dropped. */
  closedHere: boolean;
  protected closeWritten: boolean;
  protected failure: Error | undefined;

  constructor(socket: Socket, options: ChannelOptions) {
    super();
    const { role, deflate, compressThreshold, compressLevel, writerLimit } = options;
    this.socket = socket;
    this.options = options;
    this.writer = new FrameWriter({ role, deflate, threshold: compressThreshold, level: compressLevel });
    this.output = new FrameOutput(socket, writerLimit, options.sendTimeout ?? DEFAULT_SEND_TIMEOUT);
    this.state = OPEN;
    this.closedHere = false;
    this.closeWritten = false;
    this.failure = undefined;
  }

  /** Cuts the connection, without a word to the peer. */
  abstract abort(): void;
  /** From now on there is no connection. */
  protected abstract leave(): void;

  protected override send(
    opcode: number,
    data: string | Uint8Array,
    compress: boolean | undefined,
  ): Promise<void> {
    // Its 'close' may still have to wait for who sends in a loop.
    if (this.socket.destroyed) this.leave();
    if (this.state !== OPEN) return this.refuse();
    let frame: Frame | Promise<Frame>;
    try {
      frame = this.writer.frame(opcode, data, compress);
    } catch (error) {
      return Promise.reject(error);
    }
    if (frame instanceof Promise) return this.sendLater(frame);
    return this.output.write(frame) ?? DONE;
  }

  /** The frame is being compressed. It is written, in its turn, also when nobody waits for it any more: those behind it may refer to it. */
  private sendLater(frame: Promise<Frame>): Promise<void> {
    const sent = cancellable(
      frame.then((ready) => (this.mayWrite() ? this.output.write(ready) : this.refuse())),
    );
    sent.catch(ignore);
    return sent;
  }

  /** A frame that nobody waits for. */
  protected writeSoon(frame: Frame | Promise<Frame>, written: () => void = ignore): void {
    if (frame instanceof Promise) {
      frame.then(
        (ready) => this.writeSoon(ready, written),
        () => this.abort(),
      );
    } else if (this.mayWrite()) {
      this.output.write(frame);
      written();
    }
  }

  private mayWrite(): boolean {
    return this.state !== GONE && !this.closeWritten;
  }

  /** A peer that leaves must not end the program of who sends it something and does not look at the result. */
  private refuse(): Promise<never> {
    const refused = Promise.reject(
      this.closedHere
        ? new WebSocketStateError('AIO_WS_CLOSED', 'Nothing can be sent on a WebSocket after close().')
        : this.disconnected(),
    );
    refused.catch(ignore);
    return refused;
  }

  protected disconnected(): Error {
    const { options, failure } = this;
    if (options.disconnected !== undefined) return options.disconnected(failure);
    const cause = failure === undefined ? undefined : { cause: failure };
    return options.role === 'server'
      ? new ClientDisconnectedError('The client closed the WebSocket', cause)
      : new ServerDisconnectedError('The server closed the WebSocket', cause);
  }
}
