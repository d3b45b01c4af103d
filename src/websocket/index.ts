/** WebSockets, the same for both ends: frames, compression, the handshake's fields, the open channel. */

export { WebSocketChannel } from './channel.ts';
export {
  ChannelMessages,
  type ReceiveJsonOptions,
  type ReceiveOptions,
  type SendJsonBytesOptions,
  type SendJsonOptions,
  type SendOptions,
} from './channel-messages.ts';
export { type ChannelOptions, type CloseOptions, checkNumber } from './channel-options.ts';
export { mayBeReceived, mayBeSent, WSCloseCode } from './close-code.ts';
export { checkCompression, type WebSocketCompression } from './compression.ts';
export { WebSocketError, WSMessageTypeError } from './errors.ts';
export {
  ERROR,
  FrameParser,
  type FrameParserOptions,
  INFLATING,
  MESSAGE,
  NEED_MORE,
  type ParserState,
} from './frame-parser.ts';
export { type Frame, FrameWriter, type FrameWriterOptions } from './frame-writer.ts';
export {
  type AnswerFields,
  acceptOf,
  checkProtocol,
  checkRequest,
  checkUpgradeAnswer,
  chooseProtocol,
  makeKey,
  type RequestFields,
} from './handshake.ts';
export {
  binaryMessage,
  CLOSED_MESSAGE,
  CLOSING_MESSAGE,
  closeMessage,
  errorMessage,
  pingMessage,
  pongMessage,
  textMessage,
  type WSBinaryMessage,
  type WSClosedMessage,
  type WSCloseMessage,
  type WSClosingMessage,
  type WSErrorMessage,
  type WSMessage,
  WSMsgType,
  type WSPingMessage,
  type WSPongMessage,
  type WSTextMessage,
} from './message.ts';
export {
  acceptOffers,
  checkAnswer,
  type DeflateAgreement,
  type DeflateOptions,
  type DeflateParameters,
  offer,
} from './permessage-deflate.ts';
export { type WebSocketStateCode, WebSocketStateError } from './state-error.ts';
