import { ServerDisconnectedError as NetDisconnectedError, ReadTimeoutError } from '../net/index.ts';
import {
  ClientError,
  ClientOSError,
  ClientPayloadError,
  ServerDisconnectedError,
  ServerTimeoutError,
  SocketTimeoutError,
} from './errors.ts';

/**
 * What the users of a connection catch when it fails. A `ProtocolError` in a head stays what it is: the session knows the request and
 * makes a ClientResponseError of it.
 */
export function connectionFailure(cause: Error, inBody: boolean): Error {
  if (cause instanceof ClientError || cause instanceof ServerTimeoutError) return cause;
  if (cause instanceof ReadTimeoutError) return new SocketTimeoutError(cause.message, { cause });
  if (inBody) {
    return new ClientPayloadError(`Response payload is not completed: ${cause.message}`, { cause });
  }
  if (cause instanceof NetDisconnectedError) return new ServerDisconnectedError(cause.message, { cause });
  return isSystemError(cause) ? new ClientOSError(cause) : cause;
}

/** `ECONNRESET`, `EPIPE` … and what OpenSSL says. */
export function isSystemError(error: Error): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall !== undefined || (typeof code === 'string' && /^E[A-Z0-9_]+$/.test(code));
}
