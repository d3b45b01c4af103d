import { randomFillSync } from 'node:crypto';

/** Words are XORed with the key as it lies in memory. */
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
/** Below this a view on words costs more than it saves (measured on Node 20 and 24: from some 64 bytes on it is faster). */
const LEAST_FOR_WORDS = 96;
const NOT_ASCII = 0x80808080 | 0;

/**
 * Masks or unmasks `bytes` from `start` to `end`, in place (RFC 6455 §5.3).
 *
 * @param key - the four bytes of the key as an integer, the first one lowest; see {@link rotatedKey} for a part of a payload
 * @returns whether the bytes are ASCII afterwards, which says to a receiver that they are valid UTF-8
 */
export function mask(bytes: Uint8Array, start: number, end: number, key: number): boolean {
  let at = start;
  let rest = key;
  let all = 0;
  if (LITTLE_ENDIAN && end - start >= LEAST_FOR_WORDS) {
    while (((bytes.byteOffset + at) & 3) !== 0) {
      all |= bytes[at]! ^= rest & 0xff;
      at++;
      rest = rotatedKey(rest, 1);
    }
    const count = (end - at) >>> 2;
    all |= maskWords(new Int32Array(bytes.buffer, bytes.byteOffset + at, count), rest);
    at += count << 2;
  } else {
    const first = key & 0xff;
    const second = (key >>> 8) & 0xff;
    const third = (key >>> 16) & 0xff;
    const fourth = key >>> 24;
    for (const last = end - 3; at < last; at += 4) {
      all |=
        (bytes[at]! ^= first) |
        (bytes[at + 1]! ^= second) |
        (bytes[at + 2]! ^= third) |
        (bytes[at + 3]! ^= fourth);
    }
  }
  for (; at < end; at++) {
    all |= bytes[at]! ^= rest & 0xff;
    rest >>>= 8;
  }
  return (all & NOT_ASCII) === 0;
}

function maskWords(words: Int32Array, key: number): number {
  let all = 0;
  for (let i = 0; i < words.length; i++) all |= words[i]! ^= key;
  return all;
}

/** The key for what follows after `count` bytes of a payload. */
export function rotatedKey(key: number, count: number): number {
  const bits = (count & 3) << 3;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}

/** Asking for random bytes costs some microseconds however few they are, so many keys are made at once. */
const keys = new Int32Array(2048);
let used: number = keys.length;

/** A key that cannot be foreseen (RFC 6455 §5.3, §10.3). */
export function randomKey(): number {
  if (used === keys.length) {
    randomFillSync(keys);
    used = 0;
  }
  return keys[used++]!;
}
