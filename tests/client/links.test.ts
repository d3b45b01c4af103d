import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseLinks } from '../../src/client/index.ts';
import { CIMultiDict } from '../../src/index.ts';

function linksOf(...fields: string[]): [string, string][] {
  const headers = new CIMultiDict(fields.map((field) => ['Link', field] as const));
  return Array.from(parseLinks(headers, 'https://a.test/x/y'), ([key, { url }]) => [key, url.href]);
}

describe('links', () => {
  const cases: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
    ['<z>; rel="next"', [['next', 'https://a.test/x/z']]],
    ['</z>;rel=next', [['next', 'https://a.test/z']]],
    ['<http://b.test/?a=1,2;b>; rel=Next ; title="x, y; z"', [['next', 'http://b.test/?a=1,2;b']]],
    [
      '<a>; rel=prev, <b>; rel=next',
      [
        ['prev', 'https://a.test/x/a'],
        ['next', 'https://a.test/x/b'],
      ],
    ],
    [
      '<a>; rel="first  Last"',
      [
        ['first', 'https://a.test/x/a'],
        ['last', 'https://a.test/x/a'],
      ],
    ],
    ['<a>; rel=one; rel=two', [['one', 'https://a.test/x/a']]],
    ['<a>', [['https://a.test/x/a', 'https://a.test/x/a']]],
    [
      '<a>; title="say \\"a, b\\""; rel=next, <b>; rel=prev',
      [
        ['next', 'https://a.test/x/a'],
        ['prev', 'https://a.test/x/b'],
      ],
    ],
    ['<>; rel=self', [['self', 'https://a.test/x/y']]],
    ['<http://[bad>; rel=x, <ok>; rel=next', [['next', 'https://a.test/x/ok']]],
    ['a; rel=next', []],
    ['<a; rel=next', []],
    ['', []],
  ];
  for (const [field, expected] of cases)
    test(JSON.stringify(field), () => assert.deepEqual(linksOf(field), expected));

  test('several fields', () =>
    assert.deepEqual(
      linksOf('<a>;rel=p', '<b>;rel=n').map(([rel]) => rel),
      ['p', 'n'],
    ));

  test('parameters are there, unquoted, names in lower case', () => {
    const headers = new CIMultiDict({ Link: '<a>; rel=next; Title="a \\"b\\""; crossorigin; title=no' });
    const link = parseLinks(headers, 'https://a.test').get('next');
    assert.equal(link?.rel, 'next');
    assert.deepEqual(
      [...link!.params],
      [
        ['rel', 'next'],
        ['title', 'a "b"'],
        ['crossorigin', ''],
      ],
    );
  });

  test('a long field of anything takes linear time, and the number is bounded', () => {
    for (const piece of ['<a>,', '<', '>', '"', '<a>;"', '<a>; x="\\', ';', '; ', '<a>;a'])
      linksOf(piece.repeat(50_000));
    assert.equal(linksOf('<a>,'.repeat(5_000)).length, 1_000);
  });
});
