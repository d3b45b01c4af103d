import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import fc from 'fast-check';
import type { MultiDictProxy } from '../../src/message/index.ts';
import { RelURL } from '../../src/message/index.ts';

describe('RelURL', () => {
  test('parts, raw and decoded', () => {
    const url = new RelURL('/caf%C3%A9/a%2Fb?q=%20x%26&b=1+2#%C3%A9');
    assert.equal(url.rawPath, '/caf%C3%A9/a%2Fb');
    assert.equal(url.path, '/café/a/b');
    assert.equal(url.rawQueryString, 'q=%20x%26&b=1+2');
    assert.equal(url.queryString, 'q= x%26&b=1 2');
    assert.equal(url.query.get('q'), ' x&');
    assert.equal(url.query, url.query);
    assert.equal(url.rawFragment, '%C3%A9');
    assert.equal(url.fragment, 'é');
    assert.equal(url.rawPathQs, '/caf%C3%A9/a%2Fb?q=%20x%26&b=1+2');
    assert.equal(url.pathQs, '/café/a/b?q= x%26&b=1 2');
    assert.equal(String(url), '/caf%C3%A9/a%2Fb?q=%20x%26&b=1+2#%C3%A9');
    assert.equal(JSON.stringify({ url }), `{"url":"${url}"}`);
  });

  const written: [string, string][] = [
    ['/', '/'],
    ['', ''],
    ['*', '*'],
    ['/a?', '/a'],
    ['/a#', '/a'],
    ['/a?b?c', '/a?b?c'],
    ['/a#b?c', '/a#b?c'],
    ['/a b?c d#e f', '/a%20b?c%20d#e%20f'],
    ['/я?я#я', '/%D1%8F?%D1%8F#%D1%8F'],
    ['/%41%zz', '/%41%25zz'],
    ['/a#b#c', '/a#b%23c'],
    ['/a\r\nSet-Cookie: x', '/a%0D%0ASet-Cookie:%20x'],
    // A reference that stays on the host (open redirects).
    ['//evil.com/x', '/.//evil.com/x'],
    ['/\\evil.com', '/%5Cevil.com'],
    ['http://evil.com/', './http://evil.com/'],
    ['javascript:x', './javascript:x'],
    ['/a:b', '/a:b'],
    ['a/b:c', 'a/b:c'],
  ];
  for (const [text, expected] of written) {
    test(`write ${JSON.stringify(text)}`, () => assert.equal(new RelURL(text).toString(), expected));
  }

  const queryEscapes: [string, string][] = [
    ['a=%2B%26%3D%3B%25', 'a=%2B%26%3D%3B%'],
    ['a=%2b', 'a=%2b'],
    ['a=%E9', 'a=%E9'],
    ['a+b', 'a b'],
  ];
  for (const [raw, expected] of queryEscapes) {
    test(`queryString of ${raw}`, () => assert.equal(new RelURL(`/?${raw}`).queryString, expected));
  }

  test('with another query', () => {
    const url = new RelURL('/p?a=1&a=2&b=3#f');
    assert.equal(String(url.withQuery({ q: 'a b' })), '/p?q=a+b#f');
    assert.equal(String(url.withQuery('q=a b')), '/p?q=a%20b#f');
    assert.equal(String(url.withQuery('q=a#b')), '/p?q=a%23b#f');
    assert.equal(String(url.withQuery(undefined)), '/p#f');
    assert.equal(String(url.updateQuery({ a: 9, c: 4 })), '/p?a=9&b=3&c=4#f');
    assert.equal(String(url.updateQuery('b=x&b=y')), '/p?a=1&a=2&b=x&b=y#f');
    assert.equal(String(url.extendQuery([['a', '7']])), '/p?a=1&a=2&b=3&a=7#f');
    assert.equal(String(url.withoutQueryParams('a', 'x')), '/p?b=3#f');
    assert.equal(String(url), '/p?a=1&a=2&b=3#f');
  });

  test('with another path or fragment', () => {
    const url = new RelURL('/p?a=1#f');
    assert.equal(String(url.withPath('/q r?#%')), '/q%20r%3F%23%25?a=1#f');
    assert.equal(String(url.withFragment('x y%#')), '/p?a=1#x%20y%25%23');
    assert.equal(String(url.withFragment(undefined)), '/p?a=1');
    assert.ok(url.equals(new RelURL('/p?a=1#f')));
    assert.ok(!url.equals(new RelURL('/p?a=1')));
  });

  test('whatever is given, what is written is ASCII, stays on the host, and is stable', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('/', ':', '\\', 'a', '?', '#', '%', '.') }),
    );
    const base = new URL('http://here.example/dir/');
    fc.assert(
      fc.property(text, (given) => {
        const url = String(new RelURL(given));
        assert.match(url, /^[!-~]*$/);
        assert.equal(new URL(url, base).origin, base.origin);
        assert.equal(String(new RelURL(url)), url);
      }),
      { seed: 19, numRuns: 1000 },
    );
  });

  test('types', () => {
    expectTypeOf<RelURL['query']>().toEqualTypeOf<MultiDictProxy<string>>();
  });
});
