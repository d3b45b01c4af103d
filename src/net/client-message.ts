import { DEFAULT_LIMITS, type Limits, type ParsedResponse } from '../http1/index.ts';
import type { CIMultiDictProxy, StreamReader } from '../message/index.ts';
import { ReadTimeoutError, ResponsePayloadError } from './errors.ts';

/** How a message is exchanged. Make one object and use it for many messages. */
export interface MessageOptions {
  /** Milliseconds that the server may be silent, and may leave what we write unread; 0 for no limit. */
  readonly sockRead: number;
  readonly limits: Limits;
  /** Bytes of a body that are buffered before the socket is held back; twice as many at most. */
  readonly readBufferSize: number;
  /** `false`: an answer without length has no body, instead of one that lasts until the connection ends. */
  readonly readUntilEof: boolean;
}

export const DEFAULT_MESSAGE_OPTIONS: MessageOptions = Object.freeze({
  sockRead: 0,
  limits: DEFAULT_LIMITS,
  readBufferSize: 262_144,
  readUntilEof: true,
});

/** An answer. It stays valid when the connection carries the next message already. */
export class ReceivedMessage {
  readonly head: ParsedResponse;
  /** `undefined`: there is none; bytes: all of it; else a stream that holds the socket back. */
  body: Uint8Array | StreamReader | undefined;
  /** Trailer fields, once the body has come to its end. */
  trailers: CIMultiDictProxy | undefined;

  constructor(head: ParsedResponse) {
    this.head = head;
    this.body = undefined;
    this.trailers = undefined;
  }
}

/** Who keeps the connection between messages. */
export interface ConnectionOwner {
  /** A message is over; a reusable connection may carry another one. Exactly once per message. */
  messageEnded(reusable: boolean): void;
  /** The connection ended, or its idle time, while no message was under way. */
  idleEnded(): void;
}

/**
 * Turns what went wrong on a connection into what its users catch.
 * @param inBody - the head of the answer had come
 */
export type FailureTranslator = (cause: Error, inBody: boolean) => Error;

/** What a reader of the body is told: a wait that timed out stays what it is. */
export function lowLevelFailure(cause: Error, inBody: boolean): Error {
  if (!inBody || cause instanceof ReadTimeoutError) return cause;
  return new ResponsePayloadError(`Response payload is not completed: ${cause.message}`, { cause });
}
