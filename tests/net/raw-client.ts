import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** Longest wait for something that a server should do at once; only to end a test that would hang. */
const PATIENCE = 20_000;

/** How a connection ended, as its client saw it. */
export type Ending = 'end' | 'reset';

/** A client that knows bytes only: what it sends is written out in the test, what it receives is latin1 text. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  received: string;
  /** Settles when the server ended or reset the connection. */
  readonly closed: Promise<Ending>;
  #ending: Ending | undefined;
  #changed: (() => void)[];

  private constructor(socket: Socket) {
    this.socket = socket;
    this.received = '';
    this.#ending = undefined;
    this.#changed = [];
    socket.on('data', (data: Buffer) => {
      this.received += data.toString('latin1');
      this.#notify();
    });
    this.closed = new Promise((resolve) => {
      const close = (ending: Ending): void => {
        this.#ending ??= ending;
        this.#notify();
        resolve(this.#ending);
      };
      socket.on('end', () => close('end'));
      socket.on('error', () => close('reset'));
      socket.on('close', () => close('end'));
    });
  }

  /** Connects to a port of this machine, or to a Unix socket; with `tls` options inside of TLS. */
  static connect(where: number | string, tls?: ConnectionOptions): Promise<RawClient> {
    const target = typeof where === 'number' ? { host: '127.0.0.1', port: where } : { path: where };
    return new Promise((resolve, reject) => {
      // What `net.connect` knows reaches it through `tls.connect`, whose types do not say so.
      const options = { ...target, allowHalfOpen: true, noDelay: true };
      const socket = tls === undefined ? connectTcp(options) : connectTls({ ...options, ...tls });
      socket.once('error', reject);
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** Sends latin1 text; resolves when the system took it. */
  send(text: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, () => resolve());
    });
  }

  /** Sends the text in two pieces that arrive one after the other. */
  async sendSplit(text: string, at: number): Promise<void> {
    await this.send(text.slice(0, at));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await this.send(text.slice(at));
  }

  /** Ends our side only. */
  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Waits until the text received is as wanted; a string must occur in it. */
  async until(wanted: string | RegExp | ((received: string) => boolean)): Promise<string> {
    const isThere =
      typeof wanted === 'function'
        ? wanted
        : (received: string) =>
            typeof wanted === 'string' ? received.includes(wanted) : wanted.test(received);
    const patience = setTimeout(() => {
      this.#ending ??= 'end';
      this.#notify();
    }, PATIENCE);
    try {
      while (!isThere(this.received)) {
        if (this.#ending !== undefined) {
          throw new Error(
            `${String(wanted)} never came; received: ${JSON.stringify(this.received.slice(0, 2000))}`,
          );
        }
        await new Promise<void>((resolve) => this.#changed.push(resolve));
      }
      return this.received;
    } finally {
      clearTimeout(patience);
    }
  }

  /** All that came until the server ended the connection, without Date lines. */
  async all(): Promise<string> {
    await this.closed;
    return withoutDates(this.received);
  }

  /** Sends, ends our side, and gives all that came back. */
  async exchange(text: string): Promise<string> {
    await this.send(text);
    this.end();
    return this.all();
  }

  /** What was received so far, which is forgotten here; without Date lines. */
  take(): string {
    const { received } = this;
    this.received = '';
    return withoutDates(received);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #notify(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

function withoutDates(text: string): string {
  return text.replace(/Date: [^\r\n]*\r\n/g, '');
}
