import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  isFieldValue,
  isReasonPhrase,
  isToken,
  quoteString,
  reasonPhrase,
  STATUS_CODES,
  splitList,
  unquoteString,
} from '../../src/message/index.ts';

describe('character classes', () => {
  test('every code point from U+0000 to U+01FF', () => {
    for (let code = 0; code < 0x200; code++) {
      const char = String.fromCharCode(code);
      const token = code < 0x7f && /[A-Za-z0-9!#$%&'*+.^_`|~-]/.test(char);
      const value = code === 9 || (code >= 0x20 && code !== 0x7f && code <= 0xff);
      assert.equal(isToken(`a${char}b`), token, `token U+${code.toString(16)}`);
      assert.equal(isFieldValue(`a${char}b`), value, `value U+${code.toString(16)}`);
      assert.equal(isReasonPhrase(char), value, `reason U+${code.toString(16)}`);
    }
  });

  test('an empty token is none; an empty value and reason are fine', () => {
    assert.equal(isToken(''), false);
    assert.equal(isFieldValue(''), true);
    assert.equal(isReasonPhrase(''), true);
  });

  test('a line feed at the very end is seen', () => {
    assert.equal(isToken('a\n'), false);
    assert.equal(isFieldValue('a\n'), false);
    assert.equal(isFieldValue('a\r'), false);
  });
});

describe('quoted-string', () => {
  const cases: [string, string | undefined][] = [
    ['""', ''],
    ['"a b"', 'a b'],
    ['"a\\"b"', 'a"b'],
    ['"a\\\\"', 'a\\'],
    ['"\\a"', 'a'],
    ['a', undefined],
    ['"', undefined],
    ['"a', undefined],
    ['a"', undefined],
    ['"a"b"', undefined],
    ['"a\\"', undefined],
    ['"a\nb"', undefined],
    ['"\u0100"', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) {
    test(`unquote ${JSON.stringify(text)}`, () => assert.equal(unquoteString(text), expected));
  }

  test('unquote ∘ quote is the identity', () => {
    const char = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f);
    fc.assert(
      fc.property(fc.array(char), (codes) => {
        const text = String.fromCharCode(...codes);
        assert.equal(unquoteString(quoteString(text)), text);
      }),
      { seed: 2 },
    );
  });

  test('quote refuses what could split a head', () => {
    for (const text of ['a\r\n', '\0', '\u0100', '\x7f']) {
      assert.throws(() => quoteString(text), { code: 'AIO_QUOTED_STRING' });
    }
  });
});

describe('list', () => {
  const cases: [string, string[]][] = [
    ['', []],
    [',', []],
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    [' a ,\tb , ,c', ['a', 'b', 'c']],
    ['"a, b", c', ['"a, b"', 'c']],
    ['a="x,y";q=1, b', ['a="x,y";q=1', 'b']],
    ['"a\\", b", c', ['"a\\", b"', 'c']],
    ['a, "b, c', ['a', '"b, c']],
    ['a b, c', ['a b', 'c']],
  ];
  for (const [text, expected] of cases) {
    test(`split ${JSON.stringify(text)}`, () => assert.deepEqual(splitList(text), expected));
  }

  test('never throws, and gives no empty element', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\\', '\t') }), (text) => {
        for (const element of splitList(text)) assert.notEqual(element.trim(), '');
      }),
      { seed: 3 },
    );
  });

  test('a megabyte is a moment', () => {
    for (const unit of [',', '"', '\\', ' ', '",', ' ,', 'a,'])
      splitList(unit.repeat(1_000_000 / unit.length));
  });
});

describe('status', () => {
  test('phrases are ASCII and known by number', () => {
    for (const [status, phrase] of Object.entries(STATUS_CODES)) {
      assert.match(phrase, /^[A-Za-z' -]+$/);
      assert.equal(reasonPhrase(Number(status)), phrase);
    }
    assert.equal(reasonPhrase(200), 'OK');
    for (const unknown of [0, 99, 299, 599, 600, 1000, -1, 1.5, Number.NaN])
      assert.equal(reasonPhrase(unknown), '');
  });
});
