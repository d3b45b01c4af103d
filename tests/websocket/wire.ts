// Frames as raw bytes, and what a parser makes of them.

import {
  ERROR,
  FrameParser,
  type FrameParserOptions,
  INFLATING,
  MESSAGE,
  NEED_MORE,
  type WSMessage,
  WSMsgType,
} from '../../src/websocket/index.ts';

export type Role = 'server' | 'client';

/** No context takeover, the largest windows: what this package agrees on by default. */
export const PLAIN_DEFLATE = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

export interface RawFrame {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  /** Default `true`. */
  readonly fin?: boolean;
  /** RSV1 is 4, RSV2 is 2, RSV3 is 1. */
  readonly rsv?: number;
  readonly key?: readonly [number, number, number, number] | undefined;
  /** Bytes of the extended length: by default as few as will do. */
  readonly lengthBytes?: 0 | 2 | 8;
}

export const KEY = [0x37, 0xfa, 0x21, 0x3d] as const;

/** Written after the drawing in RFC 6455 §5.2, with no thought of speed. */
export function rawFrame(frame: RawFrame): Buffer {
  const { opcode, payload = '', fin = true, rsv = 0, key } = frame;
  const bytes = Buffer.from(payload as string);
  const few = bytes.length < 126 ? 0 : bytes.length < 65_536 ? 2 : 8;
  const lengthBytes = frame.lengthBytes ?? few;
  const short = lengthBytes === 0 ? bytes.length : lengthBytes === 2 ? 126 : 127;
  const extended = Buffer.alloc(lengthBytes);
  if (lengthBytes > 0)
    extended.writeUIntBE(bytes.length, Math.max(0, lengthBytes - 6), Math.min(6, lengthBytes));
  return Buffer.concat([
    Buffer.of((fin ? 0x80 : 0) | (rsv << 4) | opcode, (key === undefined ? 0 : 0x80) | short),
    extended,
    Buffer.from(key ?? []),
    key === undefined ? bytes : Buffer.from(bytes.map((byte, index) => byte ^ key[index % 4]!)),
  ]);
}

/** The frames as the peer of `role` sends them. */
export function framesFor(role: Role, frames: readonly RawFrame[]): Buffer {
  return Buffer.concat(frames.map((frame) => rawFrame(role === 'server' ? { key: KEY, ...frame } : frame)));
}

export function parserFor(role: Role, options: Partial<FrameParserOptions> = {}): FrameParser {
  return new FrameParser({
    role,
    maxMsgSize: 0,
    decodeText: true,
    deflate: undefined,
    ready: () => {},
    ...options,
  });
}

/** A message in one line: long data are cut. */
export function shownMessage(message: WSMessage<string | Uint8Array> | undefined, most = 64): string {
  switch (message?.type) {
    case WSMsgType.TEXT:
      return `text ${shownData(message.data, most)}`;
    case WSMsgType.BINARY:
      return `binary ${shownData(message.data, most)}`;
    case WSMsgType.PING:
      return `ping ${shownData(message.data, most)}`;
    case WSMsgType.PONG:
      return `pong ${shownData(message.data, most)}`;
    case WSMsgType.CLOSE:
      return `close ${message.data} ${message.extra}`.trim();
    default:
      return 'nothing';
  }
}

function shownData(data: string | Uint8Array, most: number): string {
  const text = typeof data === 'string' ? data : Buffer.from(data).toString('hex');
  return text.length <= most ? text : `${text.slice(0, 32)}… ${data.length}`;
}

/** Everything that the parser finds now, one line each; an error is its close code. */
export function found(parser: FrameParser, most?: number): string[] {
  const lines: string[] = [];
  for (;;) {
    const state = parser.next();
    if (state === MESSAGE) lines.push(shownMessage(parser.message, most));
    else if (state === ERROR) return [...lines, `error ${parser.error?.closeCode}`];
    else if (state === INFLATING) return [...lines, 'inflating'];
    else return lines;
  }
}

/** The same for `bytes` in two pieces at each of some places, and in single bytes. */
export function* splits(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [Uint8Array.from(bytes)];
  const { length } = bytes;
  const step = Math.max(1, Math.floor(length / 200));
  for (let at = 1; at < length; at += at < 40 || at > length - 20 ? 1 : step) {
    yield [Uint8Array.from(bytes.subarray(0, at)), Uint8Array.from(bytes.subarray(at))];
  }
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** Feeds the pieces and collects what is found after each. */
export function foundIn(
  role: Role,
  pieces: readonly Uint8Array[],
  options?: Partial<FrameParserOptions>,
): string[] {
  const parser = parserFor(role, options);
  const lines: string[] = [];
  for (const piece of pieces) {
    parser.feed(piece);
    lines.push(...found(parser));
    if (lines.at(-1)?.startsWith('error')) break;
  }
  return lines;
}

/** All that a parser finds, also what a thread has to inflate. */
export async function foundAtLast(
  role: Role,
  pieces: readonly Uint8Array[],
  options?: Partial<FrameParserOptions>,
): Promise<WSMessage<string | Uint8Array>[]> {
  const messages: WSMessage<string | Uint8Array>[] = [];
  let wake = (): void => {};
  const parser = parserFor(role, { ...options, ready: () => wake() });
  for (const piece of pieces) parser.feed(piece);
  for (;;) {
    // Set before it is asked: the thread may be quick.
    const ready = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const state = parser.next();
    if (state === MESSAGE) messages.push(parser.message!);
    else if (state === INFLATING) await ready;
    else if (state === NEED_MORE) return messages;
    else throw parser.error!;
  }
}
