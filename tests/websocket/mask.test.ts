import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mask, randomKey, rotatedKey } from '../../src/websocket/mask.ts';

const key = 0x80_04_f3_71 | 0;
const keyBytes = [0x71, 0xf3, 0x04, 0x80];

test('every length and alignment, and nothing around it is touched', () => {
  for (let length = 0; length < 300; length++) {
    for (let start = 0; start < 9; start++) {
      const all = Uint8Array.from({ length: start + length + 5 }, (_, index) => index * 7);
      const expected = all.map((byte, index) =>
        index >= start && index < start + length ? byte ^ keyBytes[(index - start) % 4]! : byte,
      );
      mask(all, start, start + length, key);
      assert.deepEqual(all, expected, `${length} bytes at ${start}`);
    }
  }
});

test('says whether the outcome is ASCII', () => {
  for (const length of [1, 2, 3, 4, 5, 26, 95, 96, 97, 101, 260]) {
    for (let high = -1; high < length; high++) {
      const bytes = new Uint8Array(length + 1).fill(0x61);
      if (high >= 0) bytes[high] = 0xc3;
      bytes[length] = 0xff;
      mask(bytes, 0, length, key);
      assert.equal(mask(bytes, 0, length, key), high === -1, `${length} bytes, ${high}`);
    }
  }
});

test('in parts with the key turned', () => {
  for (let cut = 0; cut < 9; cut++) {
    const whole = new Uint8Array(9);
    const parts = new Uint8Array(9);
    mask(whole, 0, 9, key);
    mask(parts, 0, cut, key);
    mask(parts, cut, 9, rotatedKey(key, cut));
    assert.deepEqual(parts, whole);
  }
});

test('keys differ, also when the pool of them is made anew', () => {
  const keys = new Set(Array.from({ length: 5000 }, () => randomKey()));
  assert.ok(keys.size > 4990);
});
