/**
 * Why a WebSocket is closed (RFC 6455 §7.4.1, with the registry's 1012 to 1014). 3000 to 3999 are for libraries, 4000 to 4999 for
 * applications; they have no names here.
 *
 * Source: `aiohttp.WSCloseCode`.
 *
 * @example
 * ```ts
 * WSCloseCode.GOING_AWAY; // 1001
 * ```
 */
export const WSCloseCode: {
  /** The purpose of the connection is fulfilled. */
  readonly OK: 1000;
  /** A server goes down, or a browser leaves the page. */
  readonly GOING_AWAY: 1001;
  /** The peer broke a rule of the protocol. */
  readonly PROTOCOL_ERROR: 1002;
  /** Data of a type that this end cannot take, as binary where only text is expected. */
  readonly UNSUPPORTED_DATA: 1003;
  /** Never sent: the connection ended without a close frame. */
  readonly ABNORMAL_CLOSURE: 1006;
  /** Data that does not fit the type of its message, as text that is not UTF-8. */
  readonly INVALID_TEXT: 1007;
  /** A message that breaks a rule of this end, when no other code fits. */
  readonly POLICY_VIOLATION: 1008;
  /** A message larger than this end takes. */
  readonly MESSAGE_TOO_BIG: 1009;
  /** Sent by clients: the server did not agree to an extension. */
  readonly MANDATORY_EXTENSION: 1010;
  /** Something unexpected happened in the server. */
  readonly INTERNAL_ERROR: 1011;
  /** The server restarts; the client may come again. */
  readonly SERVICE_RESTART: 1012;
  /** The server is overloaded; the client should come again later. */
  readonly TRY_AGAIN_LATER: 1013;
  /** A gateway got an invalid answer from the server behind it. */
  readonly BAD_GATEWAY: 1014;
} = {
  OK: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  UNSUPPORTED_DATA: 1003,
  ABNORMAL_CLOSURE: 1006,
  INVALID_TEXT: 1007,
  POLICY_VIOLATION: 1008,
  MESSAGE_TOO_BIG: 1009,
  MANDATORY_EXTENSION: 1010,
  INTERNAL_ERROR: 1011,
  SERVICE_RESTART: 1012,
  TRY_AGAIN_LATER: 1013,
  BAD_GATEWAY: 1014,
};

/**
 * One of the close codes that have a name. A peer may also send 3000 to 4999.
 *
 * @example
 * ```ts
 * const code: WSCloseCode = WSCloseCode.OK;
 * ```
 */
export type WSCloseCode = (typeof WSCloseCode)[keyof typeof WSCloseCode];

/**
 * Whether a close frame may carry `code`: an integer of 1000 to 1003, 1007 to 1014 or 3000 to 4999. 1005, 1006 and 1015 stand for
 * what was seen without a close frame; the rest is reserved (RFC 6455 §7.4). The same holds for what is received: see
 * {@link mayBeReceived}.
 *
 * @example
 * ```ts
 * mayBeSent(1000); // true
 * mayBeSent(1006); // false
 * ```
 */
export function mayBeSent(code: number): boolean {
  return Number.isInteger(code) && mayBeReceived(code);
}

/**
 * Whether a peer may have sent `code`, a 16-bit integer, in a close frame. Any other is a protocol error (RFC 6455 §7.4.2).
 *
 * @example
 * ```ts
 * mayBeReceived(4000); // true
 * mayBeReceived(999); // false
 * ```
 */
export function mayBeReceived(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
