import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatQuery, parseQuery } from '../../src/message/index.ts';

describe('query', () => {
  const cases: [string, [string, string][]][] = [
    ['', []],
    [
      'a=1&a=2&b&c=%20+%2B&=x',
      [
        ['a', '1'],
        ['a', '2'],
        ['b', ''],
        ['c', '  +'],
        ['', 'x'],
      ],
    ],
    ['a=%E9', [['a', '\ufffd']]],
    [
      'a=%E2%82&b=%ffq',
      [
        ['a', '\ufffd'],
        ['b', '\ufffdq'],
      ],
    ],
    ['a=%E2%82%E9%41', [['a', '\ufffd\ufffdA']]],
    ['a;b=c', [['a;b', 'c']]],
    ['a=%zz%', [['a', '%zz%']]],
    ['&&a&', [['a', '']]],
    ['a=b=c', [['a', 'b=c']]],
    [
      '=&=',
      [
        ['', ''],
        ['', ''],
      ],
    ],
    ['%C3%A9=%C3%A9', [['é', 'é']]],
    ['a%3Db=c%26d', [['a=b', 'c&d']]],
    ['a+b=c+d', [['a b', 'c d']]],
    ['__proto__=1', [['__proto__', '1']]],
    [
      'b&a=1',
      [
        ['b', ''],
        ['a', '1'],
      ],
    ],
    ['a=я', [['a', 'я']]],
  ];
  for (const [text, expected] of cases) {
    test(`parse ${JSON.stringify(text)}`, () => assert.deepEqual([...parseQuery(text)], expected));
  }

  test('decodes as URLSearchParams does', () => {
    const unit = fc.constantFrom(
      'a',
      '=',
      '&',
      '+',
      '%',
      '%2',
      '%41',
      '%E2',
      '%82',
      '%AC',
      '%F0%9F',
      '%C3%A9',
      '%ED%A0%80',
      ';',
    );
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        // URLSearchParams drops a leading '?', which this alphabet has not; it too leaves out empty pieces.
        assert.deepEqual([...parseQuery(text)], [...new URLSearchParams(text)]);
      }),
      { seed: 17, numRuns: 2000 },
    );
  });

  test('format', () => {
    assert.equal(
      formatQuery({ a: "b c+&=;é/?:@!$'()*,~%[]" }),
      "a=b+c%2B%26%3D%3B%C3%A9/?:@!$'()*,~%25%5B%5D",
    );
    assert.equal(formatQuery({ a: 1, b: 1.5, c: 10n }), 'a=1&b=1.5&c=10');
    assert.equal(formatQuery({ a: ['1', 2] }), 'a=1&a=2');
    assert.equal(
      formatQuery([
        ['a', ''],
        ['', 'b'],
      ]),
      'a=&=b',
    );
    assert.equal(formatQuery(new URLSearchParams('a=b&a=c')), 'a=b&a=c');
    assert.equal(formatQuery('x=1 2&y=%20'), 'x=1%202&y=%20');
    assert.equal(formatQuery({}), '');
    assert.equal(formatQuery({ '\r\n': '\r\n' }), '%0D%0A=%0D%0A');
  });

  test('format refuses what has no text', () => {
    for (const value of [true, null, {}, Symbol('x'), () => 1]) {
      assert.throws(() => formatQuery({ a: value as never }), { name: 'TypeError', code: 'AIO_QUERY_VALUE' });
    }
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => formatQuery({ a: value }), { name: 'RangeError', code: 'AIO_QUERY_VALUE' });
    }
  });

  test('parse ∘ format is the identity', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
        const written = formatQuery(pairs);
        assert.deepEqual([...parseQuery(written)], pairs);
        assert.match(written, /^[!-~]*$/);
      }),
      { seed: 18 },
    );
  });

  test('a megabyte is a moment', () => {
    for (const unit of ['&', '=', '+', '%', '%E9', 'a&', 'a=b&', '%E9&', '%E2%82'])
      parseQuery(unit.repeat(1_000_000 / unit.length));
  });
});
