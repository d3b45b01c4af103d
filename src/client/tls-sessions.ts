import type { TLSSocket } from 'node:tls';

/** Servers whose last session is kept. */
const MOST = 100;

/** TLS sessions to resume (RFC 8446 §2.2): the next connection to the same server has a shorter handshake. */
export class TlsSessions {
  readonly #sessions: Map<string, Buffer>;

  constructor() {
    this.#sessions = new Map();
  }

  get(id: string): Buffer | undefined {
    return this.#sessions.get(id);
  }

  /** Keeps what this connection's server offers. */
  follow(id: string, socket: TLSSocket): void {
    socket.on('session', (session) => {
      this.#sessions.delete(id);
      this.#sessions.set(id, session);
      if (this.#sessions.size > MOST) {
        const [oldest] = this.#sessions.keys();
        this.#sessions.delete(oldest!);
      }
    });
  }

  forget(id: string): void {
    this.#sessions.delete(id);
  }
}
