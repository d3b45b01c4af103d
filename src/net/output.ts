import type { Socket } from 'node:net';

/** Up to this many bytes, parts are copied into one buffer: one write costs less than a copy of this size. */
const JOIN_LIMIT = 65_536;

/**
 * What goes out on one connection, gathered so that all the answers to one read leave in one write. Heads and ASCII bodies
 * are latin1 strings, which the socket takes as they are.
 */
export class Output {
  #socket: Socket;
  #text: string;
  #parts: (string | Uint8Array)[] | undefined;
  /** Bytes gathered and not yet given to the socket. */
  size: number;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#text = '';
    this.#parts = undefined;
    this.size = 0;
  }

  /** Writes to another socket from now on. */
  attach(socket: Socket): void {
    this.#socket = socket;
  }

  /** Every character is one byte. */
  text(text: string): void {
    this.size += text.length;
    if (this.#parts === undefined) this.#text += text;
    else this.#parts.push(text);
  }

  bytes(bytes: Uint8Array): void {
    this.size += bytes.byteLength;
    if (this.#parts === undefined) {
      this.#parts = this.#text === '' ? [] : [this.#text];
      this.#text = '';
    }
    this.#parts.push(bytes);
  }

  /** Gives everything to the socket; `false` when it has more now than it should. */
  flush(): boolean {
    const { size } = this;
    if (size === 0) return true;
    this.size = 0;
    const parts = this.#parts;
    if (parts === undefined) {
      const text = this.#text;
      this.#text = '';
      return this.#socket.write(text, 'latin1');
    }
    this.#parts = undefined;
    if (parts.length > 1 && size <= JOIN_LIMIT) return this.#socket.write(join(parts, size));
    return this.#writeAll(parts);
  }

  /** Drops what was gathered. */
  clear(): void {
    this.#text = '';
    this.#parts = undefined;
    this.size = 0;
  }

  #writeAll(parts: (string | Uint8Array)[]): boolean {
    let ready = true;
    this.#socket.cork();
    for (const part of parts) {
      ready = typeof part === 'string' ? this.#socket.write(part, 'latin1') : this.#socket.write(part);
    }
    this.#socket.uncork();
    return ready;
  }
}

function join(parts: (string | Uint8Array)[], size: number): Buffer {
  const joined = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'string') {
      at += joined.write(part, at, 'latin1');
    } else {
      joined.set(part, at);
      at += part.byteLength;
    }
  }
  return joined;
}
