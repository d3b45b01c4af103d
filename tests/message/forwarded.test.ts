import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseForwarded } from '../../src/message/index.ts';

describe('Forwarded', () => {
  const cases: [string, Record<string, string>[]][] = [
    ['', []],
    ['for=1.2.3.4;by=x', [{ for: '1.2.3.4', by: 'x' }]],
    [
      'for=1.2.3.4, for="[2001:db8::1]:80";proto=https;host=a',
      [{ for: '1.2.3.4' }, { for: '[2001:db8::1]:80', proto: 'https', host: 'a' }],
    ],
    ['For=_x;PROTO=http', [{ for: '_x', proto: 'http' }]],
    ['for="a\\"b"', [{ for: 'a"b' }]],
    ['for="a,b";proto=http', [{ for: 'a,b', proto: 'http' }]],
    ['for=1.2.3.4:80', [{ for: '1.2.3.4:80' }]],
    ['for=1.2.3.4;;by=1', [{ for: '1.2.3.4', by: '1' }]],
    [';for=1', [{ for: '1' }]],
    ['for=x;', [{ for: 'x' }]],
    ['for=1 ; by=2', [{ for: '1', by: '2' }]],
    ['for=1;for=2', [{ for: '2' }]],
    ['__proto__=x', [{ ['__proto__']: 'x' }]],
    [' , ,for=a,', [{ for: 'a' }]],
    // After an error the rest of the element is skipped; what came before it stays.
    ['for=x y, for=z', [{ for: 'x' }, { for: 'z' }]],
    ['for=,for=a', [{}, { for: 'a' }]],
    ['bad, for=1', [{}, { for: '1' }]],
    ['for=1;bad, for=2', [{ for: '1' }, { for: '2' }]],
    ['"for"=x', [{}]],
    ['=x, for=1', [{}, { for: '1' }]],
    ['for=[::1]:80', [{}]],
    ['for="unclosed, for=x', [{}, { for: 'x' }]],
    ['for="a"b, for=c', [{ for: 'a' }, { for: 'c' }]],
    ['a=b c=d', [{ a: 'b' }]],
    ['for=é, for=a', [{}, { for: 'a' }]],
  ];
  for (const [header, expected] of cases) {
    test(JSON.stringify(header), () => {
      const elements = parseForwarded([header]);
      assert.deepEqual(
        elements.map((element) => Object.entries(element)),
        expected.map((element) => Object.entries(element)),
      );
      for (const element of elements) assert.equal(Object.getPrototypeOf(element), null);
    });
  }

  test('several fields are one list', () => {
    assert.deepEqual(
      parseForwarded(['for=a', 'for=b, for=c']).map((element) => element.for),
      ['a', 'b', 'c'],
    );
  });

  test('never throws; a megabyte is a moment', () => {
    const unit = fc.constantFrom('for', '=', ';', ',', '"', '\\', ' ', 'a');
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        parseForwarded([text]);
      }),
      { seed: 10 },
    );
    for (const part of [',', ';', ' ', '"', 'a=",', 'a="\\",', '\\', '=', 'a=b;', 'a=b,', 'a ']) {
      parseForwarded([part.repeat(1_000_000 / part.length)]);
    }
  });
});
