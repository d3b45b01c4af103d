import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Duplex } from 'node:stream';

/** One request as a parser saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** Minor version. */
  readonly version: number;
  /** `[name, value, …]` as sent. */
  readonly fields: readonly string[];
  readonly keepAlive: boolean;
  body: string;
  trailers: readonly string[];
  complete: boolean;
}

/** What a parser made of all that a client sent. */
export interface Verdict {
  readonly requests: SeenRequest[];
  /** Code of the error that ended it. */
  error: string | undefined;
}

/** The other end of a connection that only exists in memory. */
class Wire extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

/** node's own HTTP parser, asked through its public server. */
export class Llhttp {
  readonly #server: Server;

  constructor() {
    // Fields are what is compared here; that a Host is missing is a matter of the server above the parser.
    this.#server = createServer({
      requireHostHeader: false,
      maxHeaderSize: 65_536,
      insecureHTTPParser: false,
    });
    this.#server.maxHeadersCount = 0;
    this.#server.timeout = 0;
    this.#server.keepAliveTimeout = 0;
    this.#server.headersTimeout = 0;
    this.#server.requestTimeout = 0;
  }

  /** What it makes of these pieces and the end behind them. */
  async ask(parts: readonly Buffer[]): Promise<Verdict> {
    const wire = new Wire({ allowHalfOpen: true });
    const messages: IncomingMessage[] = [];
    let verdict: Verdict | undefined;
    // Everything that was parsed is in the messages at once, while their events come later, or never after an error.
    const conclude = (error: string | undefined): void => {
      verdict ??= { requests: messages.map(seenRequest), error };
    };
    const onRequest = (message: IncomingMessage): void => {
      messages.push(message);
      message.on('error', () => {});
    };
    const onError = (error: Error & { code?: string }): void => {
      conclude(error.code ?? error.message);
      wire.destroy();
    };
    const listeners = [
      ['request', onRequest],
      ['checkContinue', onRequest],
      ['checkExpectation', onRequest],
      ['clientError', onError],
    ] as const;
    for (const [event, listener] of listeners) this.#server.on(event, listener);
    const closed = new Promise((resolve) => wire.once('close', resolve));
    this.#server.emit('connection', wire);
    for (const part of [...parts, null]) {
      if (wire.destroyed) break;
      wire.push(part);
      await new Promise(setImmediate);
    }
    conclude(undefined);
    wire.destroy();
    await closed;
    for (const [event, listener] of listeners) this.#server.off(event, listener);
    return verdict!;
  }
}

function seenRequest(message: IncomingMessage): SeenRequest {
  let body = '';
  for (let data: Buffer | null; (data = message.read()) !== null; ) body += data.toString('latin1');
  return {
    method: message.method ?? '',
    target: message.url ?? '',
    version: message.httpVersionMinor,
    fields: message.rawHeaders,
    keepAlive: keepsAlive(message),
    body,
    trailers: message.rawTrailers,
    complete: message.complete,
  };
}

function keepsAlive({ headers, httpVersionMinor }: IncomingMessage): boolean {
  const options = (headers.connection ?? '').toLowerCase().split(/[ \t]*,[ \t]*/);
  return !options.includes('close') && (httpVersionMinor === 1 || options.includes('keep-alive'));
}
