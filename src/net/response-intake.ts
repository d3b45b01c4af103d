import { BODY_UNTIL_CLOSE, DATA, END, ERROR, HEAD, ResponseParser } from '../http1/index.ts';
import { type StreamFlow, StreamReader } from '../message/index.ts';
import { DEFAULT_MESSAGE_OPTIONS, type MessageOptions, ReceivedMessage } from './client-message.ts';
import { ServerDisconnectedError } from './errors.ts';

/** Nothing that is worth telling. */
export const NOTHING = 0;
/** The final head has come: `message`; its body is a stream. */
export const OPENED = 1;
/** The final head has come, and nothing of HTTP follows it: 101, or a tunnel. */
export const SWITCHED = 2;
/** The final head has come with all of its body. */
export const WHOLE = 3;
/** The stream of the body has come to its end, which it does not know yet. */
export const ENDED = 4;
/** The server broke the protocol: `error`. */
export const BROKEN = 5;
export type IntakeResult =
  | typeof NOTHING
  | typeof OPENED
  | typeof SWITCHED
  | typeof WHOLE
  | typeof ENDED
  | typeof BROKEN;

/** Informational answers (1xx) to one request that may wait to be looked at. */
const MAX_INFORMATIONAL = 16;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** The reading half of a client connection: from bytes to the answer in hand. */
export class ResponseIntake {
  readonly parser: ResponseParser;
  /** The final answer to the request in hand. */
  message: ReceivedMessage | undefined;
  /** Its body, as long as that is not complete. */
  stream: StreamReader | undefined;
  error: Error | undefined;
  /** Informational answers that nobody has taken yet. */
  informational: ReceivedMessage[] | undefined;
  private readonly flow: StreamFlow;
  private options: MessageOptions;
  private method: string;

  constructor(flow: StreamFlow, options: MessageOptions = DEFAULT_MESSAGE_OPTIONS) {
    this.parser = new ResponseParser(options.limits);
    this.message = undefined;
    this.stream = undefined;
    this.error = undefined;
    this.informational = undefined;
    this.flow = flow;
    this.options = options;
    this.method = 'GET';
  }

  /** The next final answer is to a request with this method. */
  expect(method: string, options: MessageOptions): void {
    this.method = method;
    this.options = options;
    this.message = undefined;
    this.informational = undefined;
    this.parser.expect(method);
  }

  /** Takes what was read. */
  take(chunk: Buffer): IntakeResult {
    this.parser.feed(chunk);
    if (this.stream !== undefined) return this.readBody(this.stream);
    // Behind an answer that leaves HTTP everything waits in the parser for the next protocol.
    return this.message === undefined ? this.readHead() : NOTHING;
  }

  /** The server has ended its side: that ends a body without length and cuts any other (RFC 9112 §8). */
  finish(): IntakeResult {
    const { stream } = this;
    for (;;) {
      const event = stream === undefined ? ERROR : this.parser.finish();
      if (event === DATA) stream!.feedData(this.parser.data);
      else return event === END ? this.endBody() : BROKEN;
    }
  }

  /** What is missing from a body that was cut off; `undefined` when nothing tells. */
  missing(): Error | undefined {
    const { message, stream } = this;
    if (message === undefined || stream === undefined) return undefined;
    const { chunked, contentLength } = message.head;
    if (chunked) return new ServerDisconnectedError('Not enough data to satisfy transfer length header.');
    if (contentLength < 0) return undefined;
    const received = stream.totalBytes;
    return new ServerDisconnectedError(
      `Not enough data to satisfy content length header (received ${received} of ${contentLength} bytes).`,
    );
  }

  private readHead(): IntakeResult {
    const { parser } = this;
    for (;;) {
      const event = parser.next();
      if (event === ERROR) return this.broken(parser.error!);
      if (event !== HEAD) return NOTHING;
      const { head } = parser;
      const message = new ReceivedMessage(head);
      if (head.status >= 200 || head.status === 101) {
        this.message = message;
        if (head.status === 101 || (this.method === 'CONNECT' && head.status < 300)) return SWITCHED;
        return this.readFinal(message);
      }
      parser.next(); // END: an informational answer has no body
      const waiting = (this.informational ??= []);
      if (waiting.length === MAX_INFORMATIONAL) {
        return this.broken(new Error(`The server sent more than ${MAX_INFORMATIONAL} informational answers`));
      }
      waiting.push(message);
    }
  }

  private readFinal(message: ReceivedMessage): IntakeResult {
    const { parser } = this;
    const { head } = message;
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
        return WHOLE;
      } else {
        break;
      }
    }
    if (parser.bodyKind === BODY_UNTIL_CLOSE && !this.options.readUntilEof) return WHOLE;
    const stream = new StreamReader(this.flow, this.options.readBufferSize);
    this.stream = stream;
    message.body = stream;
    if (more !== undefined) for (const data of more) stream.feedData(data);
    else if (first !== undefined) stream.feedData(first);
    this.error = parser.error;
    return OPENED;
  }

  private readBody(stream: StreamReader): IntakeResult {
    const { parser } = this;
    for (;;) {
      const event = parser.next();
      if (event === DATA) stream.feedData(parser.data);
      else if (event === END) return this.endBody();
      else return event === ERROR ? this.broken(parser.error!) : NOTHING;
    }
  }

  private endBody(): IntakeResult {
    this.message!.trailers = this.parser.trailers;
    return ENDED;
  }

  private broken(error: Error): IntakeResult {
    this.error = error;
    return BROKEN;
  }
}
