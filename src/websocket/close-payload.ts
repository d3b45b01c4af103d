import { isUtf8 } from 'node:buffer';
import { codedRangeError, shown } from '../message/index.ts';
import { mayBeReceived, mayBeSent, WSCloseCode } from './close-code.ts';
import { WebSocketError } from './errors.ts';
import { closeMessage, type WSCloseMessage } from './message.ts';

/** A control frame carries at most 125 bytes (RFC 6455 §5.5); two are the code. */
const LONGEST_REASON = 123;

/**
 * What a close frame carries: nothing, or a code and a reason (RFC 6455 §5.5.1).
 *
 * @throws RangeError `AIO_WS_CLOSE_CODE` for a code that must not be sent, `AIO_WS_CLOSE_REASON` for a reason that is too long, or
 *   that has no code.
 */
export function closePayload(code: number | undefined, reason: Uint8Array): Uint8Array {
  if (code === undefined) {
    if (reason.byteLength === 0) return reason;
    throw codedRangeError('AIO_WS_CLOSE_REASON', 'a close frame with a reason needs a code');
  }
  if (!mayBeSent(code)) {
    throw codedRangeError(
      'AIO_WS_CLOSE_CODE',
      `close code ${shown(code)} must not be sent: 1000 to 1003, 1007 to 1014 and 3000 to 4999 can be`,
    );
  }
  if (reason.byteLength > LONGEST_REASON) {
    throw codedRangeError(
      'AIO_WS_CLOSE_REASON',
      `the reason of a close frame has at most ${LONGEST_REASON} bytes, not ${reason.byteLength}`,
    );
  }
  const payload = new Uint8Array(2 + reason.byteLength);
  payload[0] = code >>> 8;
  payload[1] = code;
  payload.set(reason, 2);
  return payload;
}

/**
 * The message of a close frame; its code is 0 when there is none.
 *
 * @throws WebSocketError 1002 for a code that is broken off or must not be sent, 1007 for a reason that is not UTF-8
 */
export function closeMessageOf(payload: Buffer): WSCloseMessage {
  if (payload.length === 0) return closeMessage(0, '');
  if (payload.length === 1) {
    throw new WebSocketError(
      WSCloseCode.PROTOCOL_ERROR,
      'the payload of a close frame has 1 byte, not a code of 2',
    );
  }
  const code = payload.readUInt16BE(0);
  if (!mayBeReceived(code)) {
    throw new WebSocketError(WSCloseCode.PROTOCOL_ERROR, `a close frame must not carry the code ${code}`);
  }
  const reason = payload.subarray(2);
  if (!isUtf8(reason)) {
    throw new WebSocketError(WSCloseCode.INVALID_TEXT, 'the reason of a close frame is not valid UTF-8');
  }
  return closeMessage(code, reason.toString('utf8'));
}
