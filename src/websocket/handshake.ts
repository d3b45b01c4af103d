import { createHash, randomBytes } from 'node:crypto';
import { shown, splitList } from '../message/index.ts';
import { WSCloseCode } from './close-code.ts';
import { WebSocketError } from './errors.ts';

/** What a request for a WebSocket says; fields that it has not are `undefined`, repeated ones joined by commas. */
export interface RequestFields {
  readonly upgrade: string | undefined;
  readonly connection: string | undefined;
  /** `Sec-WebSocket-Version` */
  readonly version: string | undefined;
  /** `Sec-WebSocket-Key` */
  readonly key: string | undefined;
}

/** What the answer to it says. */
export interface AnswerFields {
  readonly status: number;
  readonly upgrade: string | undefined;
  readonly connection: string | undefined;
  /** `Sec-WebSocket-Accept` */
  readonly accept: string | undefined;
}

/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 8 and 7 are drafts whose frames are those of 13. */
const VERSIONS: readonly string[] = ['13', '8', '7'];
/** Base64 of 16 bytes. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** A client's `Sec-WebSocket-Key`: 16 random bytes in base64 (RFC 6455 §4.1). */
export function makeKey(): string {
  return randomBytes(16).toString('base64');
}

/**
 * The `Sec-WebSocket-Accept` that answers a key (RFC 6455 §4.2.2).
 *
 * @example
 * ```ts
 * acceptOf('dGhlIHNhbXBsZSBub25jZQ=='); // 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
 * ```
 */
export function acceptOf(key: string): string {
  return createHash('sha1').update(key).update(GUID).digest('base64');
}

/**
 * Whether a request asks for a WebSocket as it should (RFC 6455 §4.2.1).
 *
 * @returns the text of the 400 that answers it, in aiohttp's words, or `undefined` when all is well
 * @example
 * ```ts
 * checkRequest({ upgrade: undefined, connection: undefined, version: undefined, key: undefined });
 * // 'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".'
 * ```
 */
export function checkRequest(fields: RequestFields): string | undefined {
  const { upgrade, connection, version, key } = fields;
  if (!lists(upgrade, 'websocket')) {
    return `No WebSocket UPGRADE hdr: ${upgrade ?? 'None'}\n Can "Upgrade" only to "WebSocket".`;
  }
  if (!lists(connection, 'upgrade')) return `No CONNECTION upgrade hdr: ${connection ?? 'None'}`;
  if (version === undefined || !VERSIONS.includes(version)) return `Unsupported version: ${version ?? ''}`;
  if (key === undefined || !KEY.test(key)) {
    return `Handshake error: ${key === undefined ? 'None' : `'${key}'`}`;
  }
  return undefined;
}

/**
 * Whether a server agreed to speak WebSocket (RFC 6455 §4.1).
 *
 * @param key - the request's `Sec-WebSocket-Key`
 * @returns what is wrong, in aiohttp's words, or `undefined` when all is well
 * @example
 * ```ts
 * const accept = acceptOf('dGhlIHNhbXBsZSBub25jZQ==');
 * checkUpgradeAnswer(
 *   { status: 101, upgrade: 'websocket', connection: 'Upgrade', accept },
 *   'dGhlIHNhbXBsZSBub25jZQ==',
 * ); // undefined
 * ```
 */
export function checkUpgradeAnswer(fields: AnswerFields, key: string): string | undefined {
  if (fields.status !== 101) return 'Invalid response status';
  if (fields.upgrade?.trim().toLowerCase() !== 'websocket') return 'Invalid upgrade header';
  if (!lists(fields.connection, 'upgrade')) return 'Invalid connection header';
  if (fields.accept?.trim() !== acceptOf(key)) return 'Invalid challenge response';
  return undefined;
}

/**
 * The protocol that a server answers with: the first of the client's list that the server speaks, or none.
 *
 * @param asked - `Sec-WebSocket-Protocol` of the request
 * @example
 * ```ts
 * chooseProtocol('soap, chat', ['chat', 'superchat']); // 'chat'
 * ```
 */
export function chooseProtocol(asked: string | undefined, spoken: readonly string[]): string | undefined {
  if (asked === undefined || spoken.length === 0) return undefined;
  return splitList(asked).find((protocol) => spoken.includes(protocol));
}

/**
 * The protocol that the server chose, or none.
 *
 * @param answered - `Sec-WebSocket-Protocol` of the answer
 * @throws WebSocketError (1002) when it is not one of those asked for (RFC 6455 §4.1).
 */
export function checkProtocol(answered: string | undefined, asked: readonly string[]): string | undefined {
  if (answered === undefined || asked.includes(answered)) return answered;
  throw new WebSocketError(
    WSCloseCode.PROTOCOL_ERROR,
    `the server chose the protocol ${shown(answered)}; asked for were ${asked.length === 0 ? 'none' : asked.map(shown).join(', ')}`,
  );
}

/** Whether a list of tokens has one, in whatever case. */
function lists(field: string | undefined, token: string): boolean {
  return field !== undefined && splitList(field).some((element) => element.toLowerCase() === token);
}
