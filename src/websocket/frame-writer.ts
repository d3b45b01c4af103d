import { codedRangeError, shown } from '../message/index.ts';
import { closePayload } from './close-payload.ts';
import { Deflater } from './deflate-codec.ts';
import { mask, randomKey } from './mask.ts';
import { WSMsgType } from './message.ts';
import type { DeflateParameters } from './permessage-deflate.ts';

/** What a {@link FrameWriter} is made with. */
export interface FrameWriterOptions {
  /** This end: a client masks its frames (RFC 6455 §5.1). */
  readonly role: 'server' | 'client';
  /** What was agreed on about compression; without it nothing is compressed. */
  readonly deflate: DeflateParameters | undefined;
  /** Messages of fewer bytes are not compressed unless that is asked for. Default 1024. */
  readonly threshold?: number | undefined;
  /** Of zlib, 1 (fast) to 9 (small). Default: zlib's own, 6. */
  readonly level?: number | undefined;
}

/** A frame to write: one buffer, or the head and the payload apart. */
export type Frame = Uint8Array | Uint8Array[];

const FIN = 0x80;
const RSV1 = 0x40;
const MASKED = 0x80;
const MOST_CONTROL = 125;
/** Up to here a text is put into its frame character by character, as long as it is ASCII. */
const MOST_BY_CHARACTER = 64;
/** A payload of more bytes is written as it is, behind its head, where it need not be masked. */
const MOST_COPIED = 8192;
const DEFAULT_THRESHOLD = 1024;

const utf8 = new TextEncoder();

/**
 * Makes the frames of messages (RFC 6455 §5), one frame for each. Payloads that are given are never changed.
 *
 * A frame comes as a promise when a large message is compressed by a thread, or stands behind one that is. The bytes must be written
 * in the very continuation of the promise; then messages go out in the order of the calls. Pings and pongs don't wait.
 *
 * @example
 * ```ts
 * const writer = new FrameWriter({ role: 'server', deflate: undefined });
 * writer.frame(1, 'hi'); // <81 02 68 69>
 * writer.close(1000); // <88 02 03 e8>
 * ```
 */
export class FrameWriter {
  private readonly isClient: boolean;
  private readonly deflater: Deflater | undefined;
  private readonly threshold: number;
  /** Settled when no message is being compressed any more. */
  private last: Promise<void> | undefined;

  constructor(options: FrameWriterOptions) {
    const { role, deflate, threshold = DEFAULT_THRESHOLD, level } = options;
    this.isClient = role === 'client';
    this.deflater = deflate === undefined ? undefined : deflaterOf(role, deflate, level);
    this.threshold = threshold;
    this.last = undefined;
  }

  /**
   * The frame of a message, of a ping or of a pong.
   *
   * @param opcode - TEXT, BINARY, PING or PONG; for CLOSE there is {@link close}
   * @param data - a string is written as UTF-8
   * @param compress - by default what has at least `threshold` bytes is compressed, when that was agreed on. What would not become
   *   smaller goes out as it is.
   * @throws RangeError `AIO_WS_OPCODE` for another opcode, `AIO_WS_CONTROL_TOO_LONG` for a ping or pong of more than 125 bytes.
   */
  frame(opcode: number, data: Uint8Array | string, compress?: boolean): Frame | Promise<Frame> {
    if (opcode === WSMsgType.TEXT || opcode === WSMsgType.BINARY) {
      if (this.last !== undefined) return this.inTurn(() => this.message(opcode, data, compress));
      const frame = this.message(opcode, data, compress);
      return frame instanceof Promise ? this.inTurn(() => frame) : frame;
    }
    if (opcode !== WSMsgType.PING && opcode !== WSMsgType.PONG) {
      throw codedRangeError(
        'AIO_WS_OPCODE',
        `opcode ${shown(opcode)} cannot be sent: TEXT (1), BINARY (2), PING (9) and PONG (10) can`,
      );
    }
    const payload = typeof data === 'string' ? utf8.encode(data) : data;
    if (payload.byteLength > MOST_CONTROL) {
      throw codedRangeError(
        'AIO_WS_CONTROL_TOO_LONG',
        `a ping or pong carries at most ${MOST_CONTROL} bytes, not ${payload.byteLength}`,
      );
    }
    return this.bytes(FIN | opcode, payload);
  }

  /**
   * The close frame; it goes out behind all messages.
   *
   * @param code - left out, the frame carries nothing
   * @param reason - at most 123 bytes of UTF-8
   * @throws RangeError `AIO_WS_CLOSE_CODE` for a code that must not be sent, `AIO_WS_CLOSE_REASON` for a reason that is too long, or
   *   that has no code.
   */
  close(code?: number, reason: string | Uint8Array = ''): Frame | Promise<Frame> {
    const payload = closePayload(code, typeof reason === 'string' ? utf8.encode(reason) : reason);
    const frame = (): Frame => this.bytes(FIN | WSMsgType.CLOSE, payload);
    return this.last === undefined ? frame() : this.inTurn(frame);
  }

  /** What `make` gives, when everything before it was given out. */
  private inTurn(make: () => Frame | Promise<Frame>): Promise<Frame> {
    const frame = this.last === undefined ? Promise.resolve(make()) : this.last.then(make);
    const over = (): void => {};
    const last = frame.then(over, over);
    this.last = last;
    void last.then(() => {
      if (this.last === last) this.last = undefined;
    });
    return frame;
  }

  private message(
    opcode: number,
    data: Uint8Array | string,
    compress: boolean | undefined,
  ): Frame | Promise<Frame> {
    const { deflater } = this;
    if (deflater !== undefined && compress !== false) {
      // A string of so many characters may have more bytes: then it is near the threshold.
      const size = typeof data === 'string' ? data.length : data.byteLength;
      if (size >= this.threshold || (compress === true && size > 0)) {
        return this.compressed(deflater, opcode, typeof data === 'string' ? utf8.encode(data) : data);
      }
    }
    return typeof data === 'string' ? this.text(FIN | opcode, data) : this.bytes(FIN | opcode, data);
  }

  private compressed(deflater: Deflater, opcode: number, data: Uint8Array): Frame | Promise<Frame> {
    const compressed = deflater.deflate(data);
    if (!(compressed instanceof Promise)) return this.smaller(deflater, opcode, data, compressed);
    return compressed.then((bytes) => this.smaller(deflater, opcode, data, bytes));
  }

  /** With context takeover what went through the compressor must reach the other side's, or their windows differ. */
  private smaller(deflater: Deflater, opcode: number, data: Uint8Array, compressed: Uint8Array): Frame {
    return compressed.byteLength < data.byteLength || deflater.contextTakeover
      ? this.bytes(FIN | RSV1 | opcode, compressed)
      : this.bytes(FIN | opcode, data);
  }

  private text(first: number, text: string): Uint8Array {
    const { length } = text;
    if (length <= MOST_BY_CHARACTER) {
      const frame = this.isClient ? maskedAscii(first, text) : plainAscii(first, text);
      if (frame !== undefined) return frame;
    }
    const size = Buffer.byteLength(text, 'utf8');
    const { isClient } = this;
    const start = headSize(size, isClient);
    const frame = Buffer.allocUnsafe(start + size);
    const key = isClient ? randomKey() : 0;
    writeHead(frame, first, size, isClient, key);
    // As many bytes as characters: it is ASCII, and the copying of latin1 is the faster one.
    frame.write(text, start, size, size === text.length ? 'latin1' : 'utf8');
    if (isClient) mask(frame, start, start + size, key);
    return frame;
  }

  private bytes(first: number, payload: Uint8Array): Frame {
    const { isClient } = this;
    const size = payload.byteLength;
    const start = headSize(size, isClient);
    if (!isClient && size > MOST_COPIED) {
      const head = Buffer.allocUnsafe(start);
      writeHead(head, first, size, false, 0);
      return [head, payload];
    }
    const frame = Buffer.allocUnsafe(start + size);
    const key = isClient ? randomKey() : 0;
    writeHead(frame, first, size, isClient, key);
    frame.set(payload, start);
    if (isClient) mask(frame, start, start + size, key);
    return frame;
  }
}

/** For short texts a loop is faster than a call into Node. `undefined` when there is a character beyond ASCII. */
function plainAscii(first: number, text: string): Uint8Array | undefined {
  const { length } = text;
  const frame = Buffer.allocUnsafe(2 + length);
  frame[0] = first;
  frame[1] = length;
  let all = 0;
  for (let i = 0; i < length; i++) all |= frame[i + 2] = text.charCodeAt(i);
  return all < 0x80 ? frame : undefined;
}

function maskedAscii(first: number, text: string): Uint8Array | undefined {
  const { length } = text;
  const frame = Buffer.allocUnsafe(6 + length);
  const key = randomKey();
  writeHead(frame, first, length, true, key);
  let all = 0;
  for (let i = 0; i < length; i++) {
    const character = text.charCodeAt(i);
    all |= character;
    frame[i + 6] = character ^ (key >>> ((i & 3) << 3));
  }
  return all < 0x80 ? frame : undefined;
}

function headSize(size: number, masked: boolean): number {
  return (size <= 125 ? 2 : size <= 0xffff ? 4 : 10) + (masked ? 4 : 0);
}

/** The head of a frame, its length in the fewest bytes (RFC 6455 §5.2). */
function writeHead(frame: Uint8Array, first: number, size: number, masked: boolean, key: number): void {
  const bit = masked ? MASKED : 0;
  let at = 2;
  frame[0] = first;
  if (size <= 125) frame[1] = bit | size;
  else if (size <= 0xffff) {
    frame[1] = bit | 126;
    frame[2] = size >>> 8;
    frame[3] = size;
    at = 4;
  } else {
    frame[1] = bit | 127;
    writeUint32(frame, 2, Math.floor(size / 0x1_0000_0000));
    writeUint32(frame, 6, size);
    at = 10;
  }
  if (!masked) return;
  frame[at] = key;
  frame[at + 1] = key >>> 8;
  frame[at + 2] = key >>> 16;
  frame[at + 3] = key >>> 24;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** This end compresses: how it does was agreed on for its role. */
function deflaterOf(
  role: 'server' | 'client',
  deflate: DeflateParameters,
  level: number | undefined,
): Deflater {
  return role === 'server'
    ? new Deflater({
        windowBits: deflate.serverMaxWindowBits,
        contextTakeover: !deflate.serverNoContextTakeover,
        level,
      })
    : new Deflater({
        windowBits: deflate.clientMaxWindowBits,
        contextTakeover: !deflate.clientNoContextTakeover,
        level,
      });
}
