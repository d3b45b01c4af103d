// The messages, and the plainest thing that can read and write frames: for the ends that are not measured, and for the ones that show
// what the kernel and Node cost. It trusts its peer.

import { createHash } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';

const json = JSON.stringify(
  Array.from({ length: 19 }, (_, id) => ({
    id: id * 7_919,
    name: `name ${id}`,
    tags: ['a', 'b'],
    ok: id % 3 === 0,
  })),
);

/** @type {Record<string, string | Buffer>} */
export const messages = {
  text: 'abcdefghijklmnopqrstuvwxyz',
  binary: Buffer.alloc(65_536, 'x'),
  // ws compresses from 1024 bytes on.
  json: json.padEnd(1_024),
};

/**
 * What is sent of a message.
 * @param {string} program
 * @param {boolean} compress
 */
export function payloadOf(program, compress) {
  const data = Buffer.from(/** @type {string} */ (messages[program]));
  return compress ? deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4) : data;
}

/**
 * @param {number} first
 * @param {Buffer} payload not masked yet
 * @param {boolean} masked
 */
export function frame(first, payload, masked) {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const key = masked ? Buffer.of(1, 2, 3, 4) : Buffer.alloc(0);
  const head = Buffer.alloc(2 + extended);
  head[0] = first;
  head[1] = (masked ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) head.writeUInt16BE(length, 2);
  else if (extended === 8) head.writeUInt32BE(length, 6);
  return Buffer.concat([head, key, masked ? unmasked(payload, key) : payload]);
}

/**
 * @param {Buffer} payload
 * @param {Buffer} key
 */
export function unmasked(payload, key) {
  const bytes = Buffer.allocUnsafe(payload.length);
  const [first, second, third, fourth] = key;
  for (let i = 0; i < bytes.length; i += 4) {
    bytes[i] = payload[i] ^ first;
    bytes[i + 1] = payload[i + 1] ^ second;
    bytes[i + 2] = payload[i + 2] ^ third;
    bytes[i + 3] = payload[i + 3] ^ fourth;
  }
  return bytes;
}

/** Cuts what a connection brings into frames. */
export class Frames {
  /** @param {(first: number, payload: Buffer, key: Buffer) => void} take */
  constructor(take) {
    this.take = take;
    /** @type {Buffer[]} */
    this.parts = [];
    this.size = 0;
    this.needed = 2;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    this.parts.push(chunk);
    this.size += chunk.length;
    if (this.size < this.needed) return;
    const bytes = this.parts.length === 1 ? chunk : Buffer.concat(this.parts);
    let at = 0;
    for (;;) {
      const end = this.frameAt(bytes, at);
      if (end === -1) break;
      at = end;
    }
    this.parts = at === bytes.length ? [] : [bytes.subarray(at)];
    this.size = bytes.length - at;
  }

  /**
   * Where the frame ends that begins at `at`; -1 when it is not all there.
   * @param {Buffer} bytes
   * @param {number} at
   */
  frameAt(bytes, at) {
    const available = bytes.length - at;
    this.needed = 2;
    if (available < 2) return -1;
    const second = bytes[at + 1];
    const short = second & 0x7f;
    const start = at + 2 + (short < 126 ? 0 : short === 126 ? 2 : 8);
    const payload = start + (second < 0x80 ? 0 : 4);
    this.needed = payload - at;
    if (available < this.needed) return -1;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
    this.needed += length;
    if (available < this.needed) return -1;
    this.take(bytes[at], bytes.subarray(payload, payload + length), bytes.subarray(start, payload));
    this.needed = 2;
    return payload + length;
  }
}

/** @param {string} key */
export function acceptOf(key) {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** What the ends agree on where a scenario is compressed. */
export const extension = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

/** @returns {{ program: string, compress: boolean, connections: number, port: number }} */
export function task() {
  return JSON.parse(process.argv[2] ?? '{}');
}
