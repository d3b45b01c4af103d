import { WSMsgType } from './message.ts';

/** There is not all of the head yet. */
export const HEAD_PART = 0;
/** The head is whole: the payload follows. */
export const HEAD_WHOLE = 1;
/** `wrong` says what is wrong with it. */
export const HEAD_WRONG = 2;

/** What {@link FrameHead.read} came to. */
export type HeadState = typeof HEAD_PART | typeof HEAD_WHOLE | typeof HEAD_WRONG;

const MOST_CONTROL = 125;
const LONGEST = 14;

/** The head of a frame, read from bytes that may come in parts (RFC 6455 §5.2). What only later frames can tell is not checked here. */
export class FrameHead {
  fin: boolean;
  /** RSV1 (RFC 7692 §6). */
  compressed: boolean;
  opcode: number;
  /** Bytes of the payload. Beyond 2 ** 53 it is not exact, and far beyond any limit. */
  length: number;
  /** The masking key, its first byte lowest. */
  key: number;
  wrong: string;
  private readonly masked: boolean;
  private readonly mayCompress: boolean;
  /** A head that came in parts. */
  private part: Uint8Array | undefined;
  private partLength: number;
  private used: number;

  /**
   * @param masked - frames must be masked, else they must not be: all that a server receives are (§5.1)
   * @param mayCompress - permessage-deflate was agreed on
   */
  constructor(masked: boolean, mayCompress: boolean) {
    this.fin = false;
    this.compressed = false;
    this.opcode = 0;
    this.length = 0;
    this.key = 0;
    this.wrong = '';
    this.masked = masked;
    this.mayCompress = mayCompress;
    this.part = undefined;
    this.partLength = 0;
    this.used = 0;
  }

  /** Where the bytes go on that the last `read` did not use. */
  get end(): number {
    return this.used;
  }

  /** Reads from `bytes`, beginning at `at`. */
  read(bytes: Uint8Array, at: number): HeadState {
    const available = bytes.length - at;
    if (this.partLength === 0 && available >= 2) {
      const second = bytes[at + 1]!;
      const size = sizeOf(second);
      if (available >= size) {
        this.used = at + size;
        return this.takeStart(bytes[at]!, second) ? this.takeRest(bytes, at, second) : HEAD_WRONG;
      }
    }
    return this.readPart(bytes, at);
  }

  /** Byte by byte, and refused with the second one if that is enough. */
  private readPart(bytes: Uint8Array, start: number): HeadState {
    this.part ??= new Uint8Array(LONGEST);
    const { part } = this;
    for (let at = start; at < bytes.length; at++) {
      part[this.partLength++] = bytes[at]!;
      if (this.partLength < 2) continue;
      const second = part[1]!;
      if (this.partLength === 2 && !this.takeStart(part[0]!, second)) return HEAD_WRONG;
      if (this.partLength === sizeOf(second)) {
        this.partLength = 0;
        this.used = at + 1;
        return this.takeRest(part, 0, second);
      }
    }
    this.used = bytes.length;
    return HEAD_PART;
  }

  /** The two bytes that every frame begins with. */
  private takeStart(first: number, second: number): boolean {
    const opcode = first & 0x0f;
    const fin = (first & 0x80) !== 0;
    const compressed = (first & 0x40) !== 0;
    this.opcode = opcode;
    this.fin = fin;
    this.compressed = compressed;
    if ((first & 0x30) !== 0) this.wrong = 'a reserved bit (RSV2 or RSV3) is set';
    else if (((second & 0x80) !== 0) !== this.masked) {
      this.wrong = this.masked
        ? 'a frame of a client must be masked'
        : 'a frame of a server must not be masked';
    } else if (opcode > WSMsgType.PONG || (opcode > WSMsgType.BINARY && opcode < WSMsgType.CLOSE)) {
      this.wrong = `the opcode ${opcode} is reserved`;
    } else if (opcode >= WSMsgType.CLOSE) {
      if (compressed) this.wrong = 'RSV1 is set in a control frame';
      else if (!fin) this.wrong = 'a control frame must not be fragmented';
      else if ((second & 0x7f) > MOST_CONTROL) {
        this.wrong = `the payload of a control frame is longer than ${MOST_CONTROL} bytes`;
      } else return true;
    } else if (compressed && opcode === WSMsgType.CONTINUATION) {
      this.wrong = 'RSV1 is set in a continuation frame';
    } else if (compressed && !this.mayCompress) {
      this.wrong = 'RSV1 is set, and no compression was agreed on';
    } else return true;
    return false;
  }

  /** The length of the payload and the masking key. */
  private takeRest(bytes: Uint8Array, start: number, second: number): HeadState {
    let at = start + 2;
    let length = second & 0x7f;
    if (length === 126) {
      length = (bytes[at]! << 8) | bytes[at + 1]!;
      at += 2;
      if (length < 126) return this.refuse(`the length ${length} is not encoded in the fewest bytes`);
    } else if (length === 127) {
      const high = uint32(bytes, at);
      if (high > 0x7fff_ffff) return this.refuse('the most significant bit of a length is set');
      length = high * 0x1_0000_0000 + uint32(bytes, at + 4);
      at += 8;
      if (length < 0x1_0000) return this.refuse(`the length ${length} is not encoded in the fewest bytes`);
    }
    this.length = length;
    if (this.masked) {
      this.key = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    }
    return HEAD_WHOLE;
  }

  private refuse(wrong: string): typeof HEAD_WRONG {
    this.wrong = wrong;
    return HEAD_WRONG;
  }
}

function sizeOf(second: number): number {
  const length = second & 0x7f;
  return 2 + (length < 126 ? 0 : length === 126 ? 2 : 8) + ((second & 0x80) === 0 ? 0 : 4);
}

function uint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x100_0000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
}
