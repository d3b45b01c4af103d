import { inspect } from 'node:util';
import { codedTypeError } from '../message/index.ts';
import { WSMessageTypeError } from './errors.ts';
import { type WSMessage, WSMsgType } from './message.ts';

/** How one message is waited for. */
export interface ReceiveOptions {
  /** Milliseconds; then `TimeoutError`, and the WebSocket can be used on. Default: its `receiveTimeout`. */
  readonly timeout?: number | undefined;
  /** Aborting it ends the wait with its reason; the WebSocket can be used on. */
  readonly signal?: AbortSignal | undefined;
}

/** How one message is sent. */
export interface SendOptions {
  /** Whether it is compressed, where that was agreed on. Default: from a certain size on. */
  readonly compress?: boolean | undefined;
}

/** How a value is received as JSON. */
export interface ReceiveJsonOptions<T> extends ReceiveOptions {
  /** Default `JSON.parse`. */
  readonly loads?: ((text: string) => T) | undefined;
}

/** How a value is sent as JSON. */
export interface SendJsonOptions extends SendOptions {
  /** Default `JSON.stringify`. */
  readonly dumps?: ((value: unknown) => string) | undefined;
}

/** How a value is sent as JSON in bytes. */
export interface SendJsonBytesOptions extends SendOptions {
  readonly dumps: (value: unknown) => Uint8Array;
}

const NO_BYTES = new Uint8Array(0);
const utf8 = new TextDecoder();

/** What both ends of a WebSocket can do with messages, on top of receiving one and sending one. */
export abstract class ChannelMessages<Text extends string | Uint8Array = string>
  implements AsyncIterable<WSMessage<Text>>
{
  /** The next message. */
  abstract receive(options?: ReceiveOptions): Promise<WSMessage<Text>>;
  /** @internal */
  protected abstract send(
    opcode: number,
    data: string | Uint8Array,
    compress: boolean | undefined,
  ): Promise<void>;

  /**
   * The next message, which must be text.
   *
   * @throws WSMessageTypeError when it is of another type, such as CLOSE; what {@link receive} throws
   */
  async receiveStr(options?: ReceiveOptions): Promise<string> {
    const message = await this.receive(options);
    if (message.type !== WSMsgType.TEXT) throw unexpected(message, 'TEXT');
    return typeof message.data === 'string' ? message.data : utf8.decode(message.data);
  }

  /**
   * The next message, which must be bytes.
   *
   * @throws WSMessageTypeError when it is of another type, such as CLOSE; what {@link receive} throws
   */
  async receiveBytes(options?: ReceiveOptions): Promise<Uint8Array> {
    const message = await this.receive(options);
    if (message.type !== WSMsgType.BINARY) throw unexpected(message, 'BINARY');
    return message.data;
  }

  /**
   * The next message, which must be text that is JSON. The type is a promise of yours, nothing checks it.
   *
   * @throws SyntaxError when it is no JSON; what {@link receiveStr} throws
   */
  async receiveJson<T = unknown>(options?: ReceiveJsonOptions<T>): Promise<T> {
    const text = await this.receiveStr(options);
    return options?.loads === undefined ? JSON.parse(text) : options.loads(text);
  }

  /**
   * Sends text. Resolves when the peer keeps up; waiting for it keeps memory bounded.
   *
   * @throws TypeError `AIO_WS_DATA` when it is no string
   * @throws the error of a closed connection
   */
  sendStr(data: string, options?: SendOptions): Promise<void> {
    if (typeof data !== 'string') return Promise.reject(wrongData('sendStr() takes a string', data));
    return this.send(WSMsgType.TEXT, data, options?.compress);
  }

  /**
   * Sends bytes. They must not change before the promise is settled.
   *
   * @throws TypeError `AIO_WS_DATA` when it is no `Uint8Array`; else as {@link sendStr}
   */
  sendBytes(data: Uint8Array, options?: SendOptions): Promise<void> {
    if (!(data instanceof Uint8Array)) {
      return Promise.reject(wrongData('sendBytes() takes a Uint8Array or Buffer', data));
    }
    return this.send(WSMsgType.BINARY, data, options?.compress);
  }

  /**
   * Sends a value as JSON, in a text message.
   *
   * @throws TypeError when it has no JSON; else as {@link sendStr}
   */
  sendJson(value: unknown, options?: SendJsonOptions): Promise<void> {
    try {
      return this.sendStr((options?.dumps ?? JSON.stringify)(value), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends a value as `dumps` writes it, in a message of bytes. */
  sendJsonBytes(value: unknown, options: SendJsonBytesOptions): Promise<void> {
    try {
      return this.sendBytes(options.dumps(value), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends a message of the type that is given: TEXT, BINARY, PING or PONG.
   *
   * @throws RangeError `AIO_WS_OPCODE` for another type; else as {@link sendStr}
   */
  sendFrame(data: string | Uint8Array, opcode: WSMsgType, options?: SendOptions): Promise<void> {
    switch (opcode) {
      case WSMsgType.TEXT:
      case WSMsgType.BINARY:
        if (typeof data === 'string' || data instanceof Uint8Array)
          return this.send(opcode, data, options?.compress);
        return Promise.reject(wrongData('sendFrame() takes a string or a Uint8Array', data));
      case WSMsgType.PING:
        return this.ping(data);
      case WSMsgType.PONG:
        return this.pong(data);
      default:
        return this.send(opcode, data, false);
    }
  }

  /**
   * Sends a ping, with up to 125 bytes that the pong gives back.
   *
   * @throws RangeError `AIO_WS_CONTROL_TOO_LONG` for more; else as {@link sendStr}
   */
  ping(data: string | Uint8Array = NO_BYTES): Promise<void> {
    return this.sendControl(WSMsgType.PING, data);
  }

  /**
   * Sends a pong that nobody asked for, with up to 125 bytes. Pings are answered by themselves (`autoping`).
   *
   * @throws RangeError `AIO_WS_CONTROL_TOO_LONG` for more; else as {@link sendStr}
   */
  pong(data: string | Uint8Array = NO_BYTES): Promise<void> {
    return this.sendControl(WSMsgType.PONG, data);
  }

  /** The messages, up to the one that says that the connection closes. Errors (`ERROR`) are among them. */
  [Symbol.asyncIterator](): AsyncIterableIterator<WSMessage<Text>> {
    return new MessageIterator(this);
  }

  private sendControl(opcode: number, data: string | Uint8Array): Promise<void> {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      return Promise.reject(wrongData('A ping or pong takes a string or a Uint8Array', data));
    }
    return this.send(opcode, data, false);
  }
}

class MessageIterator<Text extends string | Uint8Array> implements AsyncIterableIterator<WSMessage<Text>> {
  private readonly messages: ChannelMessages<Text>;

  constructor(messages: ChannelMessages<Text>) {
    this.messages = messages;
  }

  next(): Promise<IteratorResult<WSMessage<Text>, undefined>> {
    return this.messages.receive().then(toResult<Text>);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function toResult<Text extends string | Uint8Array>(
  message: WSMessage<Text>,
): IteratorResult<WSMessage<Text>, undefined> {
  switch (message.type) {
    case WSMsgType.CLOSE:
    case WSMsgType.CLOSING:
    case WSMsgType.CLOSED:
      return { done: true, value: undefined };
    default:
      return { done: false, value: message };
  }
}

function unexpected({ type, data }: WSMessage<string | Uint8Array>, wanted: string): WSMessageTypeError {
  const whole = data instanceof Uint8Array ? Buffer.from(data.buffer, data.byteOffset, data.length) : data;
  const seen = inspect(whole, { maxStringLength: 60, breakLength: Infinity });
  return new WSMessageTypeError(`Received message ${type}:${seen} is not WSMsgType.${wanted}`);
}

function wrongData(takes: string, data: unknown): TypeError {
  const kind = typeof data === 'object' && data !== null ? (data.constructor?.name ?? 'object') : typeof data;
  return codedTypeError('AIO_WS_DATA', `${takes}, got ${kind}.`);
}
