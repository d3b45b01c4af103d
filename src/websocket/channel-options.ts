import { codedRangeError, shown } from '../message/index.ts';
import type { DeflateParameters } from './permessage-deflate.ts';

/** How a `WebSocketChannel` works. Durations are milliseconds, sizes bytes. */
export interface ChannelOptions {
  readonly role: 'server' | 'client';
  /** The sub-protocol that was agreed on. */
  readonly protocol: string | undefined;
  readonly deflate: DeflateParameters | undefined;
  readonly compressThreshold?: number | undefined;
  readonly compressLevel?: number | undefined;
  /** How long the peer's close frame is waited for, and then the end of the connection. */
  readonly closeTimeout: number;
  /** How long `receive()` waits by itself; `undefined`: for ever. */
  readonly receiveTimeout: number | undefined;
  readonly autoclose: boolean;
  readonly autoping: boolean;
  readonly heartbeat: number | undefined;
  /** 0: no limit. */
  readonly maxMsgSize: number;
  readonly writerLimit: number;
  readonly decodeText: boolean;
  /** How long the peer may take nothing of what waits for it. Default 60 000; 0: for ever. */
  readonly sendTimeout?: number | undefined;
  /** What sending throws when the peer is gone. Default: the error of the role's side of `net`. */
  readonly disconnected?: ((cause: Error | undefined) => Error) | undefined;
}

/** What `close()` tells the peer. */
export interface CloseOptions {
  /** Default 1000, `WSCloseCode.OK`. */
  readonly code?: number | undefined;
  /** The reason, up to 123 bytes of UTF-8. Default: none. */
  readonly message?: string | Uint8Array | undefined;
}

/** @throws RangeError `AIO_WS_OPTION` for what is no number of `unit`, 0 or more */
export function checkNumber(name: string, value: number, unit: 'milliseconds' | 'bytes'): void {
  if (typeof value === 'number' && value >= 0) return;
  throw codedRangeError('AIO_WS_OPTION', `${name} is a number of ${unit}, 0 or more; got ${shown(value)}.`);
}
