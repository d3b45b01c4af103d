import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodePath, decodePathSafe, quotePath, requotePath, requoteQuery } from '../../src/message/index.ts';

describe('percent-decoding', () => {
  // raw, full, safe (as yarl's path and path_safe)
  const cases: [string, string, string][] = [
    ['', '', ''],
    ['/a/b+c', '/a/b+c', '/a/b+c'],
    ['/a%2fb%25c%2520+d%20e', '/a/b%c%20+d e', '/a%2Fb%25c%2520+d e'],
    ['/%D1%8F', '/я', '/я'],
    ['/%c3%a9', '/é', '/é'],
    ['/%F0%9F%98%80', '/😀', '/😀'],
    ['/%E9x', '/%E9x', '/%E9x'],
    ['/%e9x', '/%e9x', '/%e9x'],
    ['/%E2%82', '/%E2%82', '/%E2%82'],
    ['/%E2%82%41', '/%E2%82A', '/%E2%82A'],
    ['/%E2%D1%8F', '/%E2я', '/%E2я'],
    ['/a%C3%28', '/a%C3(', '/a%C3('],
    ['/%C0%AF', '/%C0%AF', '/%C0%AF'], // overlong slash
    ['/%E0%80%AF', '/%E0%80%AF', '/%E0%80%AF'],
    ['/%ED%A0%80', '/%ED%A0%80', '/%ED%A0%80'], // a surrogate
    ['/%F4%90%80%80', '/%F4%90%80%80', '/%F4%90%80%80'], // beyond U+10FFFF
    ['/%FF', '/%FF', '/%FF'],
    ['/%zz%2', '/%zz%2', '/%zz%2'],
    ['%', '%', '%'],
    ['%%41', '%A', '%A'],
    ['%4\u0141', '%4\u0141', '%4\u0141'],
    ['/%00', '/\0', '/\0'],
    ['/я%20', '/я ', '/я '],
  ];
  for (const [raw, full, safe] of cases) {
    test(JSON.stringify(raw), () => {
      assert.equal(decodePath(raw), full);
      assert.equal(decodePathSafe(raw), safe);
    });
  }

  test('every pair and triple of interesting bytes decodes as decodeURIComponent does, or stays', () => {
    const bytes = [
      0x00, 0x2f, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4,
      0xf5,
    ];
    const hex = bytes.map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`);
    for (const a of hex) {
      for (const b of hex) {
        for (const c of hex) {
          for (const raw of [`${a}${b}`, `${a}${b}${c}`, `${a}${b}${c}%80`]) {
            let expected: string;
            try {
              expected = decodeURIComponent(raw);
            } catch {
              // What is left encoded is invalid: encoding the result again gives the raw text.
              assert.equal(
                decodePath(raw)
                  .replace(/[^%0-9A-F]/gu, encodeURIComponent)
                  .toUpperCase(),
                raw,
              );
              continue;
            }
            assert.equal(decodePath(raw), expected);
          }
        }
      }
    }
  });

  test('decoding the safe path once more gives the full one', () => {
    const unit = fc.constantFrom('a', '%', '2', '5', 'F', '%2F', '%25', '%D1', '%8F', '/');
    fc.assert(
      fc.property(fc.string({ unit }), (raw) => {
        const safe = decodePathSafe(raw);
        // %41 may only appear by decoding twice.
        assert.equal(safe.split('/').length, raw.split('/').length);
        if (!/%(?![0-9A-F]{2})/.test(raw)) assert.equal(decodePath(safe), decodePath(raw));
      }),
      { seed: 14, numRuns: 2000 },
    );
  });

  test('a megabyte is a moment', () => {
    for (const unit of ['%', '%E9', '%25', '%2', '%D1%8F', '%F0%9F%98', 'a%']) {
      decodePath(unit.repeat(1_000_000 / unit.length));
      decodePathSafe(unit.repeat(1_000_000 / unit.length));
    }
  });
});

describe('percent-encoding', () => {
  const cases: [string, string][] = [
    ['', ''],
    ['é /', '%C3%A9%20/'],
    ['a%20b', 'a%2520b'],
    ['..', '..'],
    ['\0\x7f', '%00%7F'],
    ['+&=;,!$\'()*:@[]{}|\\^`<>"#?~-._', "+&=;,!$'()*:@%5B%5D%7B%7D%7C%5C%5E%60%3C%3E%22%23%3F~-._"],
    ['😀', '%F0%9F%98%80'],
    ['\ud800x', '%EF%BF%BDx'],
  ];
  for (const [text, expected] of cases) {
    test(`quotePath ${JSON.stringify(text)}`, () => assert.equal(quotePath(text), expected));
  }

  const requoted: [string, string, string][] = [
    ['/a b%2Fc%', '/a%20b%2Fc%25', '/a%20b%2Fc%25'],
    ['/%zz%C3%a9', '/%25zz%C3%a9', '/%25zz%C3%a9'],
    ['a?b#c', 'a%3Fb%23c', 'a?b%23c'],
    ['\\\r\n', '%5C%0D%0A', '%5C%0D%0A'],
  ];
  for (const [text, path, query] of requoted) {
    test(`requote ${JSON.stringify(text)}`, () => {
      assert.equal(requotePath(text), path);
      assert.equal(requoteQuery(text), query);
    });
  }

  test('decode ∘ quote is the identity; requoting changes nothing that is quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const quoted = quotePath(text);
        assert.equal(decodePath(quoted), text);
        assert.equal(requotePath(quoted), quoted);
        assert.match(quoted, /^[!-~]*$/);
      }),
      { seed: 15 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = requotePath(text);
        assert.equal(requotePath(once), once);
        assert.match(once, /^[!-~]*$/);
      }),
      { seed: 16 },
    );
  });
});
