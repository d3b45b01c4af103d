import { isToken, shown, splitList, unquoteString } from '../message/index.ts';
import { WSCloseCode } from './close-code.ts';
import { WebSocketError } from './errors.ts';

/** What one end wants of permessage-deflate (RFC 7692 §7). */
export interface DeflateOptions {
  /**
   * Messages may refer to what was sent in earlier ones: smaller, but for each direction up to 32 KiB are kept as long as the
   * connection lives, and each message takes several times the CPU. Default `false`.
   */
  readonly contextTakeover?: boolean | undefined;
  /** Base two logarithm of the largest window wanted, 8 to 15. Default 15. */
  readonly windowBits?: number | undefined;
}

/** What both ends agreed on. */
export interface DeflateParameters {
  /** The server compresses each message by itself. */
  readonly serverNoContextTakeover: boolean;
  /** The client compresses each message by itself. */
  readonly clientNoContextTakeover: boolean;
  /** Base two logarithm of the window that the server compresses with, 8 to 15. */
  readonly serverMaxWindowBits: number;
  /** Base two logarithm of the window that the client compresses with, 8 to 15. */
  readonly clientMaxWindowBits: number;
}

/** A server's yes to an offer. */
export interface DeflateAgreement {
  readonly parameters: DeflateParameters;
  /** The value of `Sec-WebSocket-Extensions` in the answer. */
  readonly header: string;
}

/** One extension of the field, with its parameters in order; a parameter without value has `undefined`. */
interface Extension {
  readonly name: string;
  readonly parameters: readonly (readonly [name: string, value: string | undefined])[];
}

/** The parameters of RFC 7692 §7.1 as one side wrote them. */
interface Asked {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number | undefined;
  /** `true`: the client knows the parameter, and leaves the value to the server. */
  clientMaxWindowBits: number | true | undefined;
}

const NAME = 'permessage-deflate';
const LARGEST = 15;
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/**
 * Takes the first of a client's offers that this server can keep (RFC 7692 §5.1).
 *
 * @param header - `Sec-WebSocket-Extensions` of the request, all its lines joined by commas
 * @returns `undefined` when there is no such offer: the answer then has no such field
 * @throws WebSocketError (1002) when the field is malformed (RFC 6455 §9.1): a server answers 400.
 * @example
 * ```ts
 * acceptOffers('permessage-deflate; client_max_window_bits', {})?.header;
 * // 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
 * ```
 */
export function acceptOffers(
  header: string | undefined,
  wanted: DeflateOptions,
): DeflateAgreement | undefined {
  if (header === undefined) return undefined;
  for (const extension of parseExtensions(header)) {
    if (extension.name !== NAME) continue;
    const asked = readParameters(extension, 'offer');
    // A server declines an offer that it does not understand (§7.1).
    if (asked !== undefined) return agreement(asked, wanted);
  }
  return undefined;
}

function agreement(asked: Asked, wanted: DeflateOptions): DeflateAgreement {
  const { contextTakeover = false, windowBits = LARGEST } = wanted;
  const offered = asked.clientMaxWindowBits;
  const clientLimit = offered === undefined || offered === true ? LARGEST : offered;
  const parameters: DeflateParameters = {
    serverNoContextTakeover: asked.serverNoContextTakeover || !contextTakeover,
    clientNoContextTakeover: asked.clientNoContextTakeover || !contextTakeover,
    serverMaxWindowBits: Math.min(asked.serverMaxWindowBits ?? LARGEST, windowBits),
    // Only a client that names the parameter may be told to use a smaller window (§7.1.2.2).
    clientMaxWindowBits: offered === undefined ? LARGEST : Math.min(clientLimit, windowBits),
  };
  return { parameters, header: formatParameters(parameters) };
}

/**
 * What a client offers: always one offer, which a server can only keep or decline.
 *
 * @returns the value of `Sec-WebSocket-Extensions`
 * @example
 * ```ts
 * offer({ windowBits: 12 });
 * // 'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=12'
 * ```
 */
export function offer(wanted: DeflateOptions): string {
  const { contextTakeover = false, windowBits = LARGEST } = wanted;
  const header = formatParameters({
    serverNoContextTakeover: !contextTakeover,
    clientNoContextTakeover: !contextTakeover,
    serverMaxWindowBits: windowBits,
    clientMaxWindowBits: windowBits,
  });
  // Without a value: the server may choose one (§7.1.2.2).
  return windowBits === LARGEST ? `${header}; client_max_window_bits` : header;
}

/**
 * Reads a server's answer to {@link offer}. A server that leaves out `server_no_context_takeover` is put up with: it costs this end
 * the window, nothing else.
 *
 * @param header - `Sec-WebSocket-Extensions` of the answer
 * @param offered - what `offer` was called with; `undefined` when nothing was offered
 * @returns `undefined` when the server declined
 * @throws WebSocketError (1002) when the answer is malformed or is no answer to the offer: the client fails the connection
 *   (RFC 6455 §4.1, RFC 7692 §7.1).
 */
export function checkAnswer(
  header: string | undefined,
  offered: DeflateOptions | undefined,
): DeflateParameters | undefined {
  const [extension, second] = header === undefined ? [] : parseExtensions(header);
  if (extension === undefined) return undefined;
  if (offered === undefined || extension.name !== NAME) {
    throw refused(`the server uses the extension ${shown(extension.name)}, which was not offered`);
  }
  if (second !== undefined) throw refused('the server uses more than one extension; one was offered');
  const answered = readParameters(extension, 'answer');
  if (answered === undefined)
    throw refused(`the server answers ${shown(header)}, which is no answer to the offer`);
  const { contextTakeover = false, windowBits = LARGEST } = offered;
  const { serverMaxWindowBits = LARGEST, clientMaxWindowBits = windowBits } = answered;
  if (serverMaxWindowBits > windowBits || (clientMaxWindowBits as number) > windowBits) {
    throw refused(
      `the server answers ${shown(header)}, and offered were windows of at most ${windowBits} bits`,
    );
  }
  return {
    serverNoContextTakeover: answered.serverNoContextTakeover,
    // A client may do without whatever the server says (§7.1.1.2).
    clientNoContextTakeover: answered.clientNoContextTakeover || !contextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits: clientMaxWindowBits as number,
  };
}

function formatParameters(parameters: DeflateParameters): string {
  let text = NAME;
  if (parameters.serverNoContextTakeover) text += '; server_no_context_takeover';
  if (parameters.clientNoContextTakeover) text += '; client_no_context_takeover';
  if (parameters.serverMaxWindowBits < LARGEST) {
    text += `; server_max_window_bits=${parameters.serverMaxWindowBits}`;
  }
  if (parameters.clientMaxWindowBits < LARGEST) {
    text += `; client_max_window_bits=${parameters.clientMaxWindowBits}`;
  }
  return text;
}

/** `undefined` when a parameter is unknown, stands twice or has a value that it must not have (RFC 7692 §7.1). */
function readParameters({ parameters }: Extension, where: 'offer' | 'answer'): Asked | undefined {
  const asked: Asked = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: undefined,
    clientMaxWindowBits: undefined,
  };
  if (new Set(parameters.map(([name]) => name)).size < parameters.length) return undefined;
  for (const [name, value] of parameters) {
    switch (name) {
      case 'server_no_context_takeover':
        if (value !== undefined) return undefined;
        asked.serverNoContextTakeover = true;
        break;
      case 'client_no_context_takeover':
        if (value !== undefined) return undefined;
        asked.clientNoContextTakeover = true;
        break;
      case 'server_max_window_bits':
        if (value === undefined || !WINDOW_BITS.test(value)) return undefined;
        asked.serverMaxWindowBits = Number(value);
        break;
      case 'client_max_window_bits':
        if (value === undefined ? where === 'answer' : !WINDOW_BITS.test(value)) return undefined;
        asked.clientMaxWindowBits = value === undefined || Number(value);
        break;
      default:
        return undefined;
    }
  }
  return asked;
}

/** The field's grammar (RFC 6455 §9.1): a quoted value must be a token too, so no comma or semicolon is part of one. */
function parseExtensions(header: string): Extension[] {
  return splitList(header).map((element) => {
    const [name = '', ...rest] = element.split(';').map((part) => part.trim());
    return {
      name: token(name, header),
      parameters: rest.map((parameter) => {
        const equals = parameter.indexOf('=');
        if (equals === -1) return [token(parameter, header), undefined];
        const value = parameter.slice(equals + 1).trim();
        return [
          token(parameter.slice(0, equals).trim(), header),
          token(value.startsWith('"') ? (unquoteString(value) ?? '') : value, header),
        ];
      }),
    };
  });
}

function token(text: string, header: string): string {
  if (!isToken(text)) throw refused(`Sec-WebSocket-Extensions ${shown(header)} is malformed`);
  return text;
}

function refused(message: string): WebSocketError {
  return new WebSocketError(WSCloseCode.PROTOCOL_ERROR, message);
}
