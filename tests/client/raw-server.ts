import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One request as it came: its head, and what of its body has come. */
export interface RawRequest {
  readonly head: string;
  readonly body: string;
  readonly socket: Socket;
  /** Counts the requests of this server from 1. */
  readonly number: number;
}

/** Bytes to answer with; nothing is answered for `undefined`. */
export type Answer = string | Buffer | undefined;

/**
 * Answers requests with bytes that a test gives. A request ends with its head, or with as much body as its Content-Length says, or
 * with the last chunk.
 */
export class RawServer implements AsyncDisposable {
  readonly requests: RawRequest[] = [];
  readonly sockets: Set<Socket> = new Set();
  /** Connections accepted so far. */
  connections = 0;
  readonly #server: Server;
  readonly #answer: (request: RawRequest) => Answer | Promise<Answer>;

  private constructor(answer: (request: RawRequest) => Answer | Promise<Answer>) {
    this.#answer = answer;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(answer: (request: RawRequest) => Answer | Promise<Answer>): Promise<RawServer> {
    const server = new RawServer(answer);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.sockets.add(socket);
    let text = '';
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = requestEnd(text); end !== -1; end = requestEnd(text)) {
        const headEnd = text.indexOf('\r\n\r\n') + 4;
        const request = {
          head: text.slice(0, headEnd),
          body: text.slice(headEnd, end),
          socket,
          number: this.requests.length + 1,
        };
        text = text.slice(end);
        this.requests.push(request);
        void Promise.resolve(this.#answer(request)).then((answer) => {
          if (answer !== undefined && !socket.destroyed) {
            socket.write(typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer);
          }
        });
      }
    });
  }
}

function requestEnd(text: string): number {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return -1;
  const head = text.slice(0, end + 4).toLowerCase();
  if (head.includes('\r\nexpect:')) return end + 4;
  if (/\r\ntransfer-encoding: chunked\r\n/.test(head)) {
    const last = /(?<=\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/g; // with trailers, if there are any
    last.lastIndex = end;
    return last.test(text) ? last.lastIndex : -1;
  }
  const length = Number(/\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1] ?? 0);
  return text.length >= end + 4 + length ? end + 4 + length : -1;
}

/** A response with Content-Length. */
export function ok(body = '', headers = '', status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;
}

/** A redirect without body. */
export function redirect(location: string, status = 302): string {
  return `HTTP/1.1 ${status} Go\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
}
