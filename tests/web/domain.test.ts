import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';

function matches(rule: web.MatchingRule, host: string | undefined): boolean {
  return rule.match({ method: 'GET', routePath: '/', host });
}

describe('Domain', () => {
  for (const [domain, host, expected] of [
    ['example.com', 'example.com', true],
    ['example.com', 'EXAMPLE.Com', true],
    ['Example.COM.', 'example.com', true],
    ['example.com', 'example.com.', true],
    ['example.com:80', 'example.com', true],
    ['example.com', 'example.com:80', true],
    ['example.com', 'example.com:8080', false],
    ['example.com:8080', 'example.com:8080', true],
    ['example.com:8080', 'example.com.:8080', true],
    ['example.com', 'www.example.com', false],
    ['example.com', undefined, false],
    ['[::1]:8080', '[::1]:8080', true],
    ['127.0.0.1', '127.0.0.1', true],
  ] as const) {
    test(`${domain} and ${host}: ${expected}`, () =>
      assert.equal(matches(new web.Domain(domain), host), expected));
  }

  for (const domain of [
    '',
    '.',
    'a b',
    '-a.com',
    'a-.com',
    'a..b',
    'example.com/x',
    'example.com:x',
    '*.a',
    'a'.repeat(64),
  ]) {
    test(`refused: '${domain}'`, () => {
      assert.throws(() => new web.Domain(domain), { name: 'RangeError', code: 'AIO_DOMAIN' });
    });
  }

  test('a scheme or no string is refused', () => {
    assert.throws(() => new web.Domain('http://example.com'), {
      name: 'RangeError',
      message: /Scheme not supported/,
    });
    assert.throws(() => new web.Application().addDomain(123 as never, new web.Application()), {
      name: 'TypeError',
    });
  });
});

describe('MaskDomain', () => {
  for (const [mask, host, expected] of [
    ['*.example.com', 'www.example.com', true],
    ['*.example.com', 'WWW.Example.com', true],
    ['*.EXAMPLE.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', true],
    ['*.example.com', 'www.example.com:80', true],
    ['*.example.com', 'www.example.com:8080', false],
    ['*.example.com', 'www-example.com', false],
    ['*', 'anything', true],
    ['a*c*e', 'abcde', true],
    ['a*c*e', 'ace', true],
    ['a*c*e', 'ae', false],
    ['ab*ba', 'aba', false],
    ['a*b*b', 'ab', false],
    ['www.*.com', 'www.x.y.com', true],
  ] as const) {
    test(`${mask} and ${host}: ${expected}`, () =>
      assert.equal(matches(new web.MaskDomain(mask), host), expected));
  }

  test('a long host takes linear time', () => {
    assert.equal(matches(new web.MaskDomain('*a*a*a*a*b'), 'a'.repeat(100_000)), false);
  });

  test('what it tells', () => {
    assert.deepEqual(new web.MaskDomain('*.Example.com').getInfo(), { domain: '*.example.com' });
  });
});
