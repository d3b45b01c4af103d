import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatMediaType, parseMediaType } from '../../src/message/index.ts';

const good: [string, string, Record<string, string>][] = [
  ['text/html', 'text/html', {}],
  ['Text/HTML', 'text/html', {}],
  [' text/html\t', 'text/html', {}],
  ['text/html;charset=utf-8', 'text/html', { charset: 'utf-8' }],
  ['text/html ; Charset="UTF-8"', 'text/html', { charset: 'UTF-8' }],
  ['text/html;', 'text/html', {}],
  ['text/html; ; charset=a;', 'text/html', { charset: 'a' }],
  ['a/b; x="a;b\\"c"; y=1', 'a/b', { x: 'a;b"c', y: '1' }],
  ['multipart/form-data; boundary="a=b"', 'multipart/form-data', { boundary: 'a=b' }],
  ['application/vnd.api+json', 'application/vnd.api+json', {}],
];
const bad = [
  '',
  'html',
  '/html',
  'text/',
  'text/html/x',
  'te xt/html',
  'text/html charset=utf-8',
  'text/html; charset',
  'text/html; =x',
  'text/html; charset=',
  'text/html; charset =x',
  'text/html; charset= x',
  'text/html; charset="x',
  'text/html; charset="x"y',
  'text/html; charset=x y',
  'text/html; charset=a; Charset=b',
  'text/html, text/plain',
  'text/html; a=é',
  'tеxt/html', // Cyrillic е
];

describe('media type', () => {
  for (const [text, type, parameters] of good) {
    test(`parse ${text}`, () => {
      // Twice: the second time from the cache.
      for (let i = 0; i < 2; i++) {
        const parsed = parseMediaType(text);
        assert.equal(parsed?.type, type);
        assert.deepEqual(Object.fromEntries(parsed.parameters), parameters);
        assert.equal(parsed.charset, parameters['charset']);
      }
    });
  }
  for (const text of bad) {
    test(`refuse ${text}`, () => {
      assert.equal(parseMediaType(text), undefined);
      assert.equal(parseMediaType(text), undefined);
    });
  }

  test('parse ∘ format is the identity', () => {
    const token = fc.string({ unit: fc.constantFrom('a', 'b', '+', '.'), minLength: 1 });
    const value = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', ';', ',', '=', 'é') });
    fc.assert(
      fc.property(token, token, fc.dictionary(token, value), (type, subtype, parameters) => {
        const parsed = parseMediaType(formatMediaType(`${type}/${subtype}`, parameters));
        assert.equal(parsed?.type, `${type}/${subtype}`);
        assert.deepEqual(Object.fromEntries(parsed.parameters), { ...parameters });
      }),
      { seed: 4 },
    );
  });

  test('format refuses what it could not read back', () => {
    assert.throws(() => formatMediaType('html'), { code: 'AIO_MEDIA_TYPE' });
    assert.throws(() => formatMediaType('text/html\r\n'), { code: 'AIO_MEDIA_TYPE' });
    assert.throws(() => formatMediaType('text/html', { 'a b': 'c' }), { code: 'AIO_MEDIA_TYPE' });
    assert.throws(() => formatMediaType('text/html', { a: '\n' }), { code: 'AIO_QUOTED_STRING' });
    assert.equal(formatMediaType('text/html', { charset: undefined }), 'text/html');
  });

  test('more values than the cache holds', () => {
    for (let i = 0; i < 1000; i++)
      assert.equal(parseMediaType(`a/b; x=${i}`)?.parameters.get('x'), String(i));
  });

  test('never throws; a megabyte is a moment', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '/', ';', '=', '"', ' ', '\\') }), (text) => {
        parseMediaType(text);
        parseMediaType(`a/b${text}`);
      }),
      { seed: 5 },
    );
    for (const unit of [' ', ';', ' ;', ';a=b', ';a="', '"', '\\']) {
      parseMediaType(`a/b${unit.repeat(1_000_000 / unit.length)}x`);
    }
  });
});
