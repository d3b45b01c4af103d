import type { Socket } from 'node:net';
import type { ProtocolError } from '../http1/index.ts';
import type { CIMultiDict, CIMultiDictProxy, HttpVersion, StreamReader } from '../message/index.ts';

/**
 * What every transport knows of a request before its body: HTTP/1.1 gives it from bytes, `app.fetch` from a platform
 * `Request`. `headers` is built on first touch; `header()` looks one name up without building it.
 */
export interface RequestHead {
  readonly method: string;
  /** The request-target exactly as received (RFC 9112 §3.2). */
  readonly target: string;
  readonly version: HttpVersion;
  readonly headers: CIMultiDictProxy;
  /** `false` when it is known that there is no Expect field, so that nobody needs to look for it. */
  readonly expect?: boolean;
  /** One field by its lower-case name; a repeated field is joined with `', '`; `undefined` when absent. */
  header(name: string): string | undefined;
}

/**
 * What `web` hands to a transport to send. A `StreamResponse` is one, so nothing is copied on the way. `contentTypeField`
 * is used when `ownHeaders` has no Content-Type: a response whose headers nobody touched never builds a container.
 */
export interface ResponseHead {
  readonly status: number;
  /** `undefined`: the standard phrase. */
  readonly reason: string | undefined;
  /** The sender's own fields, or `undefined` when there are none. */
  readonly ownHeaders: CIMultiDict | undefined;
  /** The whole field value, parameters included: `text/plain; charset=utf-8`. (`contentType` is the media type alone.) */
  readonly contentTypeField: string | undefined;
  /**
   * `true`: the sender already put (or took away) Date, Server and Content-Type in `ownHeaders`, the transport adds only
   * what frames the message. So that an `onResponsePrepare` signal can remove what it does not want to be sent.
   */
  readonly defaultsSet: boolean;
}

/** Address of one end of a connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A connection that left HTTP: the socket, which is paused, and the bytes that were already read from it. */
export interface UpgradedConnection {
  readonly socket: Socket;
  readonly buffered: Uint8Array;
  /** How long the peer may take none of the bytes that wait for it, in milliseconds, where the transport has a limit. */
  readonly sendTimeout?: number | undefined;
}

/** The part of `web` that lives as long as one exchange. The transport calls it; it never throws. */
export interface ExchangeOwner {
  /**
   * Called exactly once, when the answer is complete or the exchange failed. After it the exchange belongs to the
   * next request: the owner must drop its reference.
   */
  exchangeDone(error: Error | undefined): void;
  /** The handler took longer than `handlerTimeout`. */
  exchangeTimedOut(): void;
  /**
   * The client ended its side while its answer is being made. Nearly always it has gone away; one that only half-closed
   * (RFC 9112 §9.6) still gets the answer, if there is one.
   */
  clientEnded(): void;
  /** The server ends: who has taken the connection over (`upgrade`) should end it in good order. It is cut when the time is up. */
  serverEnds?(): void;
}

/**
 * Where a request and its answer meet. Straight-line use by `web`: read `head` and `body`, then either `respond()` once, or
 * `start()`, `write()`… and `end()`, or `upgrade()`, or `abort()`.
 */
export interface Exchange {
  readonly head: RequestHead;
  /** Set when the request could not be parsed: `head` is then a stand-in and the answer closes the connection. */
  readonly error: ProtocolError | undefined;
  /**
   * The request body: `undefined` when there is none, the bytes when all of them are here already, else a stream that pauses
   * the transport when nobody reads it.
   */
  readonly body: Uint8Array | StreamReader | undefined;
  /** Trailer fields of the request; empty until the body was read to its end, `undefined` when there were none. */
  readonly trailers: CIMultiDictProxy | undefined;
  readonly secure: boolean;
  readonly remote: Endpoint | undefined;
  readonly local: Endpoint | undefined;
  /** The socket under the exchange where the transport has one (`getExtraInfo`, `request.transport`). */
  readonly socket: Socket | undefined;
  /** The value of `Server` that the transport adds where the sender set none; `undefined` when it adds none. */
  readonly serverHeader: string | undefined;
  /** Set by `web` as soon as it has the object that stands for the request. */
  owner: ExchangeOwner | undefined;
  /** Whether the connection may serve another request after this one. Setting `false` closes it after the answer. */
  keepAlive: boolean;
  /** Whether a head of a final answer was sent (or is in the write queue). */
  readonly started: boolean;
  /** Bytes of this answer handed to the transport so far, head included. */
  readonly bytesSent: number;
  /** Sends `100 Continue` if the client waits for it and nothing was sent yet. */
  sendContinue(): void;
  /**
   * The whole answer at once: adds Content-Length, Date, Server and Connection where the sender did not set them. HEAD, 1xx, 204 and
   * 304 send no body.
   * @throws TypeError before a byte is sent when a name, value, reason or status could not stand in a head.
   */
  respond(head: ResponseHead, body: Uint8Array | string | undefined): void;
  /** Head of an answer that is written piece by piece. `length` is what will be written, `undefined` when not known. */
  start(head: ResponseHead, length: number | undefined): void;
  /** A piece of the body. Returns a promise when the peer does not keep up; wait for it before the next piece. */
  write(chunk: Uint8Array | string): Promise<void> | undefined;
  /** End of the body, with trailers where the transport has them. */
  end(trailers?: CIMultiDict): Promise<void> | undefined;
  /** Leaves HTTP: sends `head` (101, or 200 for CONNECT) and hands the connection over. */
  upgrade(head: ResponseHead): UpgradedConnection;
  /** Makes a shutdown wait until the function that is returned was called: for work that goes on when its connection is gone. */
  hold?(): () => void;
  /** Cuts the connection so that the client can see that the answer is not complete. */
  abort(): void;
}

/** Receives every request of a server. Must set `exchange.owner` and must not throw. */
export type ExchangeHandler = (exchange: Exchange) => void;
