import { CHUNK_END, chunkHead, LAST_CHUNK, lastChunk } from '../http1/index.ts';
import { BodyPump, bytesOf, type Payload } from '../message/index.ts';
import type { ClientConnection } from '../net/index.ts';
import { type CompressCoding, compressed } from './compress.ts';
import { ClientConnectionError, ClientPayloadError } from './errors.ts';
import { rawFields } from './request-head.ts';
import type { HeadersInit } from './request-options.ts';
import type { Stoppable } from './timeouts.ts';

/** How far a transfer is; `total` is `undefined` when it is not known. In bytes. */
export interface Progress {
  readonly loaded: number;
  readonly total: number | undefined;
}

/** Called while a body is sent or received. What it throws ends the request. */
export type ProgressCallback = (progress: Progress) => void;

/** Written at once at most: what the server is slow to take should show, in progress and in `sockRead`. */
const SLICE = 524_288;

/** How a body goes out. */
export interface UploadOptions {
  readonly chunked: boolean;
  /** Bytes that the head promised; `undefined` when chunked. */
  readonly length: number | undefined;
  readonly compress: CompressCoding | undefined;
  /** Fields behind a chunked body. */
  readonly trailers: (() => HeadersInit | Promise<HeadersInit>) | undefined;
  readonly onProgress: ProgressCallback | undefined;
  /** Called for every piece (tracing). */
  readonly onPiece: ((piece: Uint8Array) => unknown) | undefined;
}

/** Sends one body on one connection, piece by piece as fast as the server takes it, and can be stopped at any time. */
export class Upload implements Stoppable {
  /** The body was sent to its end. */
  complete: boolean;
  readonly #connection: ClientConnection;
  readonly #body: Payload;
  readonly #options: UploadOptions;
  #pump: BodyPump | undefined;
  #stopped: Error | undefined;
  #sent: number;

  constructor(connection: ClientConnection, body: Payload, options: UploadOptions) {
    this.complete = false;
    this.#connection = connection;
    this.#body = body;
    this.#options = options;
    this.#pump = undefined;
    this.#stopped = undefined;
    this.#sent = 0;
  }

  /** @throws what the source throws; ClientPayloadError when it has less than was promised; nothing when the server did not want all of it */
  async run(): Promise<void> {
    const { compress, chunked, length, trailers } = this.#options;
    let source = await this.#body.open();
    if (compress !== undefined) source = compressed(source, compress);
    const pump = new BodyPump(source);
    this.#pump = pump;
    if (this.#stopped !== undefined) pump.stop(this.#stopped);
    try {
      for (let piece = await pump.next(); piece !== undefined; piece = await pump.next()) {
        if (!(await this.#send(bytesOf(piece, 'utf8')))) return;
        if (length !== undefined && this.#sent >= length) break;
      }
      if (length !== undefined && this.#sent < length) {
        throw new ClientPayloadError(
          `The request's body ended after ${this.#sent} of the ${length} bytes that Content-Length promises`,
        );
      }
    } finally {
      if (!this.complete) pump.stop(new ClientConnectionError('The body is not sent any further'));
    }
    const connection = this.#connection;
    if (chunked) {
      connection.write(trailers === undefined ? LAST_CHUNK : lastChunk(rawFields(await trailers())));
    }
    if (chunked && (await this.#flush()) === false) return;
    this.complete = true;
    connection.endRequest();
  }

  /** Ends the sending wherever it is. The source is released. */
  stop(error: Error): void {
    if (this.complete) return;
    this.#stopped ??= error;
    this.#pump?.stop(error);
  }

  /** Sends a piece; `false` when the connection takes no more. */
  async #send(piece: Uint8Array): Promise<boolean> {
    const { chunked, length, onProgress, onPiece } = this.#options;
    const left = length === undefined ? piece.length : Math.min(piece.length, length - this.#sent);
    const connection = this.#connection;
    for (let start = 0; start < left; start += SLICE) {
      const end = Math.min(start + SLICE, left);
      const slice = start === 0 && end === piece.length ? piece : piece.subarray(start, end);
      if (chunked) connection.write(chunkHead(slice.length));
      connection.write(slice);
      if (chunked) connection.write(CHUNK_END);
      if ((await this.#flush()) === false) return false;
      this.#sent += slice.length;
      if (onPiece !== undefined) await onPiece(slice);
      onProgress?.({ loaded: this.#sent, total: length });
    }
    return true;
  }

  /** `false` when the connection is gone: what went wrong comes out of `response()`, or nothing did and the server has answered. */
  async #flush(): Promise<boolean> {
    try {
      await this.#connection.flush();
      return true;
    } catch (error) {
      if (!this.#connection.busy) return false;
      throw error;
    }
  }
}
