import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ETAG_ANY, ETag, formatETag, matchesETag, parseETags } from '../../src/message/index.ts';

describe('entity tags', () => {
  const cases: [string, string[]][] = [
    ['*', ['*']],
    [' * ', ['*']],
    ['"a"', ['"a"']],
    ['""', ['""']],
    ['W/"a", "b"', ['W/"a"', '"b"']],
    ['"a","b" , W/"c"', ['"a"', '"b"', 'W/"c"']],
    ['"a,b"', ['"a,b"']],
    [', ,"a",', ['"a"']],
    ['"a" garbage, "b"', []],
    ['"a", garbage, "b"', ['"a"']],
    ['"a", *', ['"a"']],
    ['w/"a"', []],
    ['a', []],
    ['"a', []],
    ['"a b"', []],
    ['"*"', ['"*"']],
    ['"é"', ['"é"']],
    ['', []],
  ];
  for (const [header, expected] of cases) {
    test(`parse ${JSON.stringify(header)}`, () => assert.deepEqual(parseETags(header).map(String), expected));
  }

  test('* is not "*"', () => {
    assert.equal(parseETags('*')[0], ETAG_ANY);
    assert.notEqual(parseETags('"*"')[0], ETAG_ANY);
    assert.equal(matchesETag(parseETags('"*"'), new ETag('a'), 'weak'), false);
    assert.equal(matchesETag(parseETags('*'), undefined, 'strong'), true);
  });

  // RFC 9110 §8.8.3.2, the table of comparisons
  const comparisons: [string, string, boolean, boolean][] = [
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true],
  ];
  for (const [one, other, strong, weak] of comparisons) {
    test(`compare ${one} with ${other}`, () => {
      const current = parseETags(other)[0]!;
      assert.equal(matchesETag(parseETags(one), current, 'strong'), strong);
      assert.equal(matchesETag(parseETags(one), current, 'weak'), weak);
      assert.equal(current.strongEquals(parseETags(one)[0]!), strong);
    });
  }

  test('format', () => {
    assert.equal(formatETag('a'), '"a"');
    assert.equal(formatETag(''), '""');
    assert.equal(formatETag('*'), '*');
    assert.equal(formatETag(new ETag('*')), '"*"');
    assert.equal(formatETag(new ETag('a', true)), 'W/"a"');
    for (const value of ['a"b', 'a b', 'a\r\n', '\u0100', '\x7f']) {
      assert.throws(() => formatETag(value), { name: 'RangeError', code: 'AIO_ETAG' });
    }
  });

  test('parse ∘ format is the identity', () => {
    const char = fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x22 && code !== 0x7f);
    const etag = fc
      .tuple(fc.array(char), fc.boolean())
      .map(([codes, weak]) => new ETag(String.fromCharCode(...codes), weak));
    fc.assert(
      fc.property(fc.array(etag, { minLength: 1 }), (tags) => {
        assert.deepEqual(parseETags(tags.map((tag) => formatETag(tag)).join(', ')), tags);
      }),
      { seed: 8 },
    );
  });

  test('a megabyte is a moment', () => {
    for (const unit of [',', ' ', '"', '"a",', 'W/', ' ,']) parseETags(unit.repeat(1_000_000 / unit.length));
  });
});
