import { constants, isAscii, isUtf8 } from 'node:buffer';
import { WSCloseCode } from './close-code.ts';
import { closeMessageOf } from './close-payload.ts';
import { Inflater } from './deflate-codec.ts';
import { WebSocketError } from './errors.ts';
import { FrameHead, HEAD_PART, HEAD_WRONG } from './frame-head.ts';
import { mask, rotatedKey } from './mask.ts';
import {
  binaryMessage,
  pingMessage,
  pongMessage,
  textMessage,
  type WSMessage,
  WSMsgType,
} from './message.ts';
import type { DeflateParameters } from './permessage-deflate.ts';

/** Everything that was fed is used up. */
export const NEED_MORE = 0;
/** `message` holds the next message. */
export const MESSAGE = 1;
/** `error` says what the peer did wrong; nothing more comes. */
export const ERROR = 2;
/** A large message is being inflated by a thread; `ready` is called when `next()` can go on. */
export const INFLATING = 3;

/** What {@link FrameParser.next} found. */
export type ParserState = typeof NEED_MORE | typeof MESSAGE | typeof ERROR | typeof INFLATING;

/** What a {@link FrameParser} is made with. */
export interface FrameParserOptions {
  /** This end: a server refuses unmasked frames, a client masked ones (RFC 6455 §5.1). */
  readonly role: 'server' | 'client';
  /** Most bytes of a message, inflated. 0: as many as a buffer or a string can hold. */
  readonly maxMsgSize: number;
  /** `false` leaves texts as bytes; they are checked to be UTF-8 all the same. */
  readonly decodeText: boolean;
  /** What was agreed on about compression; without it no message may be compressed. */
  readonly deflate: DeflateParameters | undefined;
  /** Called from the event loop when `next()`, which gave {@link INFLATING}, can go on. */
  readonly ready: () => void;
}

/** Most fragments of a message, and most among them that are empty: they cost time and bring nothing. */
const MOST_FRAGMENTS = 131_072;
const MOST_EMPTY_FRAGMENTS = 1024;
/** What is first reserved for a message that comes in parts: a peer that announces much must send it before it takes memory. */
const FIRST_RESERVED = 16_384;
/** Up to here bytes are copied: that costs no more than a view, and does not hold on to all that came with them. */
const MOST_COPIED = 512;

const NOTHING = Buffer.alloc(0);

/** Where the parser stands: in a frame's head, in its payload, behind the last frame, or waiting for a thread. */
const HEAD = 0;
const PAYLOAD = 1;
const ENDED = 2;
const FAILED = 3;
const WAITING = 4;

/**
 * Makes messages of the bytes of a connection (RFC 6455 §5). Feed it, then call `next()` until it says {@link NEED_MORE}.
 *
 * What is fed belongs to the parser from then on: it is unmasked in place, and the data of messages may be parts of it. The data of
 * messages belong to who takes them. After a close frame or an error everything else is ignored.
 *
 * `Text` is what texts are: `Uint8Array` with `decodeText: false`.
 *
 * @example
 * ```ts
 * const parser = new FrameParser({
 *   role: 'client',
 *   maxMsgSize: 4_194_304,
 *   decodeText: true,
 *   deflate: undefined,
 *   ready: () => {},
 * });
 * parser.feed(Uint8Array.of(0x81, 0x02, 0x68, 0x69));
 * parser.next() === MESSAGE; // true
 * parser.message?.data; // 'hi'
 * parser.next() === NEED_MORE; // true
 * ```
 */
export class FrameParser<Text extends string | Uint8Array = string> {
  /** The message that `next()` found; gone with the next call. */
  message: WSMessage<Text> | undefined;
  /** Why `next()` gave {@link ERROR}. */
  error: WebSocketError | undefined;
  private readonly isServer: boolean;
  private readonly maxMsgSize: number;
  private readonly decodeText: boolean;
  private readonly inflater: Inflater | undefined;
  private readonly ready: () => void;
  private state: number;
  /** What was fed and is not used up: the rest of a chunk, and chunks after it. */
  private chunk: Buffer;
  private at: number;
  private readonly later: Buffer[];
  private laterAt: number;
  /** The frame that is coming. */
  private readonly head: FrameHead;
  /** How much of its payload was taken. */
  private taken: number;
  /** The payload of a control frame that came in parts. */
  private control: Buffer | undefined;
  /** The message whose frames are coming: 0 when there is none. */
  private type: number;
  private compressed: boolean;
  private body: Buffer;
  private bodyLength: number;
  private fragments: number;
  private emptyFragments: number;
  /** What a thread has inflated, until it is asked for. */
  private inflated: WSMessage<Text> | undefined;

  constructor(options: FrameParserOptions) {
    const { role, maxMsgSize, decodeText, deflate, ready } = options;
    this.message = undefined;
    this.error = undefined;
    this.isServer = role === 'server';
    this.maxMsgSize = maxMsgSize;
    this.decodeText = decodeText;
    this.inflater = deflate === undefined ? undefined : inflaterOf(role, deflate);
    this.ready = ready;
    this.state = HEAD;
    this.chunk = NOTHING;
    this.at = 0;
    this.later = [];
    this.laterAt = 0;
    this.head = new FrameHead(role === 'server', deflate !== undefined);
    this.taken = 0;
    this.control = undefined;
    this.type = 0;
    this.compressed = false;
    this.body = NOTHING;
    this.bodyLength = 0;
    this.fragments = 0;
    this.emptyFragments = 0;
    this.inflated = undefined;
  }

  /** Adds what the connection brought. */
  feed(chunk: Uint8Array): void {
    if (chunk.byteLength === 0 || this.state === ENDED || this.state === FAILED) return;
    const bytes =
      chunk instanceof Buffer ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.at === this.chunk.length && this.laterAt === this.later.length) {
      this.chunk = bytes;
      this.at = 0;
    } else this.later.push(bytes);
  }

  /** Looks for the next message in what was fed. */
  next(): ParserState {
    this.message = this.inflated;
    if (this.message !== undefined) {
      this.inflated = undefined;
      return MESSAGE;
    }
    for (;;) {
      switch (this.state) {
        case HEAD:
          if (this.takeHead()) this.state = PAYLOAD;
          else if (this.error === undefined && !this.takeChunk()) return NEED_MORE;
          break;
        case PAYLOAD:
          if (this.head.opcode >= WSMsgType.CLOSE) this.takeControl();
          else this.takeData();
          if (this.message !== undefined) return MESSAGE;
          if (this.state === PAYLOAD && !this.takeChunk()) return NEED_MORE;
          break;
        case WAITING:
          return INFLATING;
        case FAILED:
          return ERROR;
        default:
          return NEED_MORE;
      }
    }
  }

  /** Goes to the next chunk, when the one at hand is used up and there is one. */
  private takeChunk(): boolean {
    if (this.laterAt < this.later.length) {
      this.chunk = this.later[this.laterAt]!;
      this.laterAt++;
      if (this.laterAt === this.later.length) {
        this.later.length = 0;
        this.laterAt = 0;
      }
      this.at = 0;
      return true;
    }
    this.chunk = NOTHING;
    this.at = 0;
    return false;
  }

  /** Reads the head of a frame. `false`: there is not all of it, or something is wrong with it. */
  private takeHead(): boolean {
    const { head } = this;
    const state = head.read(this.chunk, this.at);
    this.at = head.end;
    if (state === HEAD_PART) return false;
    if (state === HEAD_WRONG) return this.refuse(head.wrong);
    this.taken = 0;
    if (head.opcode >= WSMsgType.CLOSE) return true;
    if (head.opcode === WSMsgType.CONTINUATION) {
      if (this.type === 0) return this.refuse('a continuation frame without a message to continue');
    } else {
      if (this.type !== 0) return this.refuse('a new message begins before the last one is finished');
      this.type = head.opcode;
      this.compressed = head.compressed;
    }
    return this.countFragment(head);
  }

  /** Bounds what a message may be made of, before any of it is kept. */
  private countFragment({ fin, length }: FrameHead): boolean {
    const size = this.bodyLength + length;
    const limit = this.limit();
    // What does not compress becomes a little longer by it.
    if (size > (this.compressed ? limit + Math.ceil(limit / 1024) + 64 : limit)) {
      return this.fail(
        WSCloseCode.MESSAGE_TOO_BIG,
        `a message of ${size} bytes exceeds the limit of ${limit}`,
      );
    }
    if (fin) return true;
    this.fragments++;
    if (length === 0) this.emptyFragments++;
    if (this.fragments > MOST_FRAGMENTS || this.emptyFragments > MOST_EMPTY_FRAGMENTS) {
      return this.fail(
        WSCloseCode.POLICY_VIOLATION,
        `a message has more than ${MOST_FRAGMENTS} fragments, or ${MOST_EMPTY_FRAGMENTS} empty ones`,
      );
    }
    return true;
  }

  private limit(): number {
    const most =
      this.type === WSMsgType.TEXT && this.decodeText ? constants.MAX_STRING_LENGTH : constants.MAX_LENGTH;
    return this.maxMsgSize === 0 ? most : Math.min(this.maxMsgSize, most);
  }

  private takeData(): void {
    const { chunk, at } = this;
    const { fin, length, key } = this.head;
    const end = at + length;
    if (this.taken > 0 || this.bodyLength > 0 || !fin || end > chunk.length) {
      this.keepData();
      return;
    }
    // The whole message lies in the chunk.
    this.at = end;
    let ascii = length <= MOST_COPIED;
    if (this.isServer) ascii = mask(chunk, at, end, key);
    else if (ascii && this.type === WSMsgType.TEXT) ascii = isShortAscii(chunk, at, end);
    if (ascii && this.type === WSMsgType.TEXT && !this.compressed && this.decodeText) {
      this.message = textMessage(chunk.toString('latin1', at, end) as Text);
      this.endMessage();
      return;
    }
    const mayHoldOn =
      length > MOST_COPIED || this.compressed || (this.type === WSMsgType.TEXT && this.decodeText);
    this.takeMessage(mayHoldOn ? chunk.subarray(at, end) : copyOf(chunk, at, end));
  }

  /** Puts what there is of the payload to the rest of the message. */
  private keepData(): void {
    const { chunk, at } = this;
    const { fin, length, key } = this.head;
    const count = Math.min(length - this.taken, chunk.length - at);
    if (count > 0) {
      const start = this.bodyLength;
      const end = start + count;
      if (end > this.body.length) this.reserve(end);
      chunk.copy(this.body, start, at, at + count);
      if (this.isServer) mask(this.body, start, end, rotatedKey(key, this.taken));
      this.bodyLength = end;
      this.at = at + count;
      this.taken += count;
    }
    if (this.taken < length) return;
    if (!fin) {
      this.state = HEAD;
      return;
    }
    this.takeMessage(this.body.subarray(0, this.bodyLength));
  }

  /** Makes room for `needed` bytes of the message, twice as much each time: so every byte is copied a bounded number of times. */
  private reserve(needed: number): void {
    const { fin, length } = this.head;
    const announced = this.bodyLength + length - this.taken;
    const size = fin
      ? Math.min(announced, Math.max(FIRST_RESERVED, needed * 2))
      : Math.max(Math.min(announced, FIRST_RESERVED), needed * 2);
    const body = Buffer.allocUnsafeSlow(Math.min(size, constants.MAX_LENGTH));
    this.body.copy(body, 0, 0, this.bodyLength);
    this.body = body;
  }

  private takeMessage(bytes: Buffer): void {
    if (!this.compressed) {
      this.deliver(bytes);
      return;
    }
    let inflated: Buffer | Promise<Buffer>;
    try {
      inflated = this.inflater!.inflate(bytes, this.limit());
    } catch (error) {
      this.failWith(error as WebSocketError);
      return;
    }
    if (!(inflated instanceof Promise)) {
      this.deliver(inflated);
      return;
    }
    this.state = WAITING;
    inflated.then(
      (data) => {
        this.deliver(data);
        this.inflated = this.message;
        this.ready();
      },
      (error: WebSocketError) => {
        this.failWith(error);
        this.ready();
      },
    );
  }

  /** A message is whole. */
  private deliver(bytes: Buffer): void {
    if (this.type === WSMsgType.BINARY) this.message = binaryMessage(bytes);
    else if (isAscii(bytes)) this.message = this.textOf(bytes, 'latin1');
    else if (isUtf8(bytes)) this.message = this.textOf(bytes, 'utf8');
    else {
      this.fail(WSCloseCode.INVALID_TEXT, 'a text is not valid UTF-8');
      return;
    }
    this.endMessage();
  }

  private textOf(bytes: Buffer, encoding: 'latin1' | 'utf8'): WSMessage<Text> {
    return textMessage((this.decodeText ? bytes.toString(encoding) : bytes) as Text);
  }

  private endMessage(): void {
    this.state = HEAD;
    this.type = 0;
    this.compressed = false;
    this.fragments = 0;
    this.emptyFragments = 0;
    this.bodyLength = 0;
    this.body = NOTHING;
  }

  private takeControl(): void {
    const { chunk, at, taken } = this;
    const { opcode, length, key } = this.head;
    if (taken === 0 && at + length <= chunk.length) {
      this.at = at + length;
      this.control = copyOf(chunk, at, this.at);
    } else {
      const count = Math.min(length - taken, chunk.length - at);
      if (taken === 0) this.control = Buffer.allocUnsafe(length);
      chunk.copy(this.control!, taken, at, at + count);
      this.at = at + count;
      this.taken = taken + count;
      if (this.taken < length) return;
    }
    const payload = this.control!;
    this.control = undefined;
    if (this.isServer) mask(payload, 0, length, key);
    this.state = HEAD;
    if (opcode === WSMsgType.CLOSE) this.takeClose(payload);
    else this.message = opcode === WSMsgType.PING ? pingMessage(payload) : pongMessage(payload);
  }

  private takeClose(payload: Buffer): void {
    try {
      this.message = closeMessageOf(payload);
    } catch (error) {
      this.failWith(error as WebSocketError);
      return;
    }
    this.state = ENDED;
    this.drop();
  }

  private refuse(message: string): false {
    return this.fail(WSCloseCode.PROTOCOL_ERROR, message);
  }

  private fail(closeCode: number, message: string): false {
    return this.failWith(new WebSocketError(closeCode, message));
  }

  private failWith(error: WebSocketError): false {
    this.error = error;
    this.state = FAILED;
    this.drop();
    return false;
  }

  /** Nothing of what was fed is looked at any more. */
  private drop(): void {
    this.chunk = NOTHING;
    this.at = 0;
    this.later.length = 0;
    this.laterAt = 0;
    this.body = NOTHING;
    this.control = undefined;
  }
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

function isShortAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let all = 0;
  for (let at = start; at < end; at++) all |= bytes[at]!;
  return all < 0x80;
}

/** The peer compresses: how it does was agreed on for its role. */
function inflaterOf(role: 'server' | 'client', deflate: DeflateParameters): Inflater {
  return role === 'server'
    ? new Inflater({
        windowBits: deflate.clientMaxWindowBits,
        contextTakeover: !deflate.clientNoContextTakeover,
      })
    : new Inflater({
        windowBits: deflate.serverMaxWindowBits,
        contextTakeover: !deflate.serverNoContextTakeover,
      });
}
