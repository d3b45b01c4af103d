import {
  checkAnswer,
  checkProtocol,
  checkUpgradeAnswer,
  type DeflateParameters,
  makeKey,
  WebSocketChannel,
  WebSocketError,
} from '../websocket/index.ts';
import { call } from './call.ts';
import { withCaller } from './caller.ts';
import { ClientConnectionResetError, ServerDisconnectedError, WSServerHandshakeError } from './errors.ts';
import type { ClientResponse } from './response.ts';
import type { ClientSession } from './session.ts';
import { forgetWebSocket, watchWebSocket } from './unclosed.ts';
import { readWSOptions, type WSConnectOptions, type WSSettings } from './websocket-options.ts';
import { ClientWebSocketResponse, type TextOf } from './websocket-response.ts';

/**
 * Opens a WebSocket: the handshake is a call of the session like any other (RFC 6455 §4.1), and what comes of it is checked before the
 * connection leaves HTTP. Whatever fails, nothing of it stays open.
 */
export async function connectWebSocket<DecodeText extends boolean>(
  session: ClientSession,
  url: string | URL,
  options: WSConnectOptions<DecodeText> | undefined,
): Promise<ClientWebSocketResponse<DecodeText>> {
  const key = makeKey();
  const settings = readWSOptions(options, key);
  const { request, method } = settings;
  // A refusal is an error of the handshake, which says more.
  if (session.raiseForStatus === true) request.raiseForStatus = false;
  const response = await call(session, method, url, request, true);
  try {
    const agreed = agreement(response, key, settings);
    return open(response, agreed, settings);
  } catch (error) {
    response.close();
    throw withCaller(error);
  }
}

/** What both ends agreed on in the handshake. */
interface Agreement {
  readonly protocol: string | undefined;
  readonly deflate: DeflateParameters | undefined;
}

/** @throws WSServerHandshakeError */
function agreement(response: ClientResponse, key: string, settings: WSSettings): Agreement {
  const { status } = response;
  const wrong = checkUpgradeAnswer(
    {
      status,
      upgrade: response.header('upgrade'),
      connection: response.header('connection'),
      accept: response.header('sec-websocket-accept'),
    },
    key,
  );
  if (wrong !== undefined) throw refused(response, wrong);
  try {
    return {
      protocol: checkProtocol(response.header('sec-websocket-protocol'), settings.protocols),
      deflate: checkAnswer(response.header('sec-websocket-extensions'), settings.compression),
    };
  } catch (error) {
    throw error instanceof WebSocketError ? refused(response, error.message, error) : error;
  }
}

function refused(response: ClientResponse, message: string, cause?: Error): WSServerHandshakeError {
  const { requestInfo, history, status, headers } = response;
  const options = { status, message, headers };
  return new WSServerHandshakeError(
    requestInfo,
    history,
    cause === undefined ? options : { ...options, cause },
  );
}

function open<DecodeText extends boolean>(
  response: ClientResponse,
  { protocol, deflate }: Agreement,
  settings: WSSettings,
): ClientWebSocketResponse<DecodeText> {
  const { lease, request } = response;
  // A middleware may have waited since the answer came.
  if (lease === undefined || lease.released) {
    throw new ServerDisconnectedError('The connection ended right behind the handshake');
  }
  const { closeTimeout, receiveTimeout, autoclose, autoping, heartbeat } = settings;
  const { maxMsgSize, writerLimit, decodeText, compression } = settings;
  const channel = new WebSocketChannel<TextOf<DecodeText>>(
    response.upgrade(),
    {
      role: 'client',
      protocol,
      deflate,
      closeTimeout,
      receiveTimeout,
      autoclose,
      autoping,
      heartbeat,
      maxMsgSize,
      writerLimit,
      decodeText,
      compressThreshold: compression?.threshold,
      compressLevel: compression?.level,
      disconnected,
    },
    // The connection holds its channel: were the WebSocket to hang on it, nobody would ever notice that it was dropped.
    () => forgetWebSocket(lease),
  );
  const socket = new ClientWebSocketResponse<DecodeText>(response, channel, deflate);
  watchWebSocket(socket, request.target.origin, lease, channel);
  return socket;
}

function disconnected(cause: Error | undefined): Error {
  const options = cause === undefined ? undefined : { cause };
  return new ClientConnectionResetError('Cannot send: the connection of the WebSocket has ended', options);
}
