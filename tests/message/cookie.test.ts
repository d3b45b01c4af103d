import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import fc from 'fast-check';
import type { SetCookieAttributes } from '../../src/message/index.ts';
import {
  isFieldValue,
  MAX_COOKIES,
  parseCookies,
  quoteCookieValue,
  serializeSetCookie,
  unquoteCookieValue,
} from '../../src/message/index.ts';

describe('Cookie', () => {
  const cases: [string, [string, string][]][] = [
    ['', []],
    ['a=b', [['a', 'b']]],
    [
      'a=b; c=d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a = b ;\tc=d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['; ;a=b;;', [['a', 'b']]],
    ['a="x y"', [['a', 'x y']]],
    ['a=""', [['a', '']]],
    ['a="b\\073c"', [['a', 'b;c']]],
    ['a="q\\"\\\\\\054"', [['a', 'q"\\,']]],
    ['a="\\351"', [['a', 'é']]],
    ['a="\\400"', [['a', '400']]],
    ['a="x\\"', [['a', 'x\\']]],
    [
      'foo; a=b',
      [
        ['foo', ''],
        ['a', 'b'],
      ],
    ],
    ['=x; a=b', [['a', 'b']]],
    ['a=', [['a', '']]],
    ['a==', [['a', '=']]],
    ['a=b=c', [['a', 'b=c']]],
    [
      'a=1; a=2',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    [
      'a={"x":1}; b=2',
      [
        ['a', '{"x":1}'],
        ['b', '2'],
      ],
    ],
    [
      'Path=/; $Version=1',
      [
        ['Path', '/'],
        ['$Version', '1'],
      ],
    ],
    ['a=b,c=d', [['a', 'b,c=d']]],
    [
      'a=b"c; d="e',
      [
        ['a', 'b"c'],
        ['d', '"e'],
      ],
    ],
    ['a="x"y', [['a', '"x"y']]],
    ['a=\xe9', [['a', '\xe9']]],
    ['a:b@[c]=d', [['a:b@[c]', 'd']]],
    ['__proto__=x', [['__proto__', 'x']]],
    // A quote swallows no other cookie.
    [
      'a="1; session=secret; b=2"',
      [
        ['a', '"1'],
        ['session', 'secret'],
        ['b', '2"'],
      ],
    ],
  ];
  for (const [header, expected] of cases) {
    test(`parse ${JSON.stringify(header)}`, () => assert.deepEqual([...parseCookies(header)], expected));
  }

  test('get gives the first of a repeated name', () => {
    const cookies = parseCookies('a=specific; a=general');
    assert.equal(cookies.get('a'), 'specific');
    assert.deepEqual(cookies.getAll('a'), ['specific', 'general']);
    assert.equal(cookies.get('A'), undefined);
  });

  test('thousands of cookies are cut off; a megabyte is a moment', () => {
    assert.equal(parseCookies('a=b;'.repeat(5000)).size, MAX_COOKIES);
    for (const unit of [';', '=', '"', '\\', ' ', 'a;', 'a=b;', ' ;', '\\1']) {
      parseCookies(unit.repeat(1_000_000 / unit.length));
      unquoteCookieValue(`"${unit.repeat(1_000_000 / unit.length)}"`);
    }
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '=', ';', '"', '\\', ' ', '0', '7') }), (header) => {
        for (const [name] of parseCookies(header)) assert.notEqual(name, '');
      }),
      { seed: 11 },
    );
  });
});

describe('Set-Cookie', () => {
  const host = { path: '/', secure: true };
  const good: [string, string, SetCookieAttributes, string][] = [
    ['a', 'b', {}, 'a=b'],
    ['a', 'b c', { path: '/' }, 'a="b c"; Path=/'],
    ['a', 'q"\\;,', { path: '/' }, 'a="q\\"\\\\\\073\\054"; Path=/'],
    ['a', 'x=/', {}, 'a="x=/"'],
    ['a', '', {}, 'a=""'],
    ['a', 'é', {}, 'a="\\351"'],
    ['a', "(){}[]<>@?=/ !#$%&'*+-.^_`|~:", {}, 'a="(){}[]<>@?=/ !#$%&\'*+-.^_`|~:"'],
    [
      's',
      'v',
      { domain: 'ex.com', httpOnly: true, maxAge: 5, path: '/', sameSite: 'Lax', secure: true },
      's=v; Domain=ex.com; HttpOnly; Max-Age=5; Path=/; SameSite=Lax; Secure',
    ],
    [
      'old',
      '',
      { expires: 'Thu, 01 Jan 1970 00:00:00 GMT', maxAge: 0, path: '/' },
      'old=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/',
    ],
    ['a', 'b', { expires: new Date(0) }, 'a=b; expires=Thu, 01 Jan 1970 00:00:00 GMT'],
    ['a', 'b', { expires: 1000 }, 'a=b; expires=Thu, 01 Jan 1970 00:00:01 GMT'],
    ['a', 'b', { partitioned: true, path: '/', secure: true }, 'a=b; Partitioned; Path=/; Secure'],
    ['a', 'b', { sameSite: 'None', secure: true }, 'a=b; SameSite=None; Secure'],
    ['a', 'b', { sameSite: 'strict' as 'Strict' }, 'a=b; SameSite=Strict'],
    ['a', 'b', { domain: '.ex-am_ple.co.uk' }, 'a=b; Domain=.ex-am_ple.co.uk'],
    ['a', 'b', { domain: '', secure: false, httpOnly: false, maxAge: undefined }, 'a=b'],
    ['a', 'b', { maxAge: -1 }, 'a=b; Max-Age=-1'],
    ['a', 'b', { path: '/a b,c="d"' }, 'a=b; Path=/a b,c="d"'],
    ['__Host-a', 'b', host, '__Host-a=b; Path=/; Secure'],
    ['__Secure-a', 'b', { secure: true, domain: 'x.y' }, '__Secure-a=b; Domain=x.y; Secure'],
    ['__Http-a', 'b', { secure: true, httpOnly: true }, '__Http-a=b; HttpOnly; Secure'],
    ['__Host-Http-a', 'b', { ...host, httpOnly: true }, '__Host-Http-a=b; HttpOnly; Path=/; Secure'],
    ['__Hosta', 'b', {}, '__Hosta=b'],
  ];
  for (const [name, value, attributes, expected] of good) {
    test(expected, () => assert.equal(serializeSetCookie(name, value, attributes), expected));
  }

  const badNames = ['', 'a b', 'a=b', 'a;b', 'a,b', 'a\r\nX', '"a"', 'é', 'a:b', '\0'];
  for (const name of badNames) {
    test(`refuse the name ${JSON.stringify(name)}`, () => {
      assert.throws(() => serializeSetCookie(name, 'x'), { name: 'RangeError', code: 'AIO_COOKIE_NAME' });
    });
  }

  const badValues = ['a\r\nSet-Cookie: b=c', '\n', '\0', '\x7f', '\t', 'я', '\ud800'];
  for (const value of badValues) {
    test(`refuse the value ${JSON.stringify(value)}`, () => {
      assert.throws(() => serializeSetCookie('a', value), { name: 'RangeError', code: 'AIO_COOKIE_VALUE' });
    });
  }
  test('refuse what browsers drop for its size, as it is written', () => {
    assert.equal(serializeSetCookie('a', 'x'.repeat(4095)).length, 4097);
    for (const value of ['x'.repeat(4096), ';'.repeat(1024)]) {
      assert.throws(() => serializeSetCookie('a', value), { name: 'RangeError', code: 'AIO_COOKIE_VALUE' });
    }
  });

  test('refuse a value that is no string', () => {
    assert.throws(() => serializeSetCookie('a', 1 as never), { name: 'TypeError', code: 'AIO_COOKIE_VALUE' });
  });

  const badAttributes: [string, object][] = [
    ['a', { domain: 'a;b' }],
    ['a', { domain: 'a b' }],
    ['a', { domain: 'a\r\nb' }],
    ['a', { domain: 'exämple.com' }],
    ['a', { domain: '..a' }],
    ['a', { domain: '-a' }],
    ['a', { domain: 'a.' }],
    ['a', { domain: `${'a'.repeat(60)}.`.repeat(5) + 'a'.repeat(10) }],
    ['a', { path: 'x' }],
    ['a', { path: '' }],
    ['a', { path: '/a;b' }],
    ['a', { path: '/a\nb' }],
    ['a', { path: '/é' }],
    ['a', { maxAge: 1.5 }],
    ['a', { maxAge: Number.NaN }],
    ['a', { maxAge: '5' }],
    ['a', { maxAge: '5; Secure' }],
    ['a', { expires: 'tomorrow' }],
    ['a', { expires: 'x; Domain=evil' }],
    ['a', { sameSite: 'Sometimes' }],
    ['a', { sameSite: true }],
    ['a', { sameSite: 'Lax; Domain=evil' }],
    ['a', { sameSite: 'None' }],
    ['a', { partitioned: true }],
    ['__Secure-a', {}],
    ['__secure-a', {}],
    ['__Host-a', { secure: true }],
    ['__Host-a', { secure: true, path: '/a' }],
    ['__HOST-a', { ...host, domain: 'a.b' }],
    ['__Http-a', { secure: true }],
    ['__Host-Http-a', host],
  ];
  for (const [name, attributes] of badAttributes) {
    test(`refuse ${name} with ${JSON.stringify(attributes)}`, () => {
      assert.throws(() => serializeSetCookie(name, 'x', attributes), {
        name: 'RangeError',
        code: 'AIO_COOKIE_ATTRIBUTE',
      });
    });
  }
  test('refuse a time that is none', () => {
    assert.throws(() => serializeSetCookie('a', 'x', { expires: new Date('x') }), { code: 'AIO_HTTP_DATE' });
  });

  test('what is written is one field, and is read back', () => {
    const char = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f);
    fc.assert(
      fc.property(fc.array(char), (codes) => {
        const value = String.fromCharCode(...codes);
        const written = serializeSetCookie('a', value);
        assert.ok(isFieldValue(written) && !/[;,]/.test(written));
        assert.deepEqual([...parseCookies(written)], [['a', value]]);
        assert.equal(unquoteCookieValue(quoteCookieValue(value)), value);
      }),
      { seed: 12 },
    );
  });

  test('whatever is given, the result is an error or a sound field', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(
        text,
        text,
        fc.record({ domain: text, path: text }, { requiredKeys: [] }),
        (name, value, more) => {
          let written: string;
          try {
            written = serializeSetCookie(name, value, more);
          } catch (error) {
            assert.match((error as { code: string }).code, /^AIO_COOKIE_/);
            return;
          }
          assert.ok(isFieldValue(written));
          assert.ok(written.split(';').length <= 1 + Object.keys(more).length);
        },
      ),
      { seed: 13, numRuns: 500 },
    );
  });

  test('types', () => {
    expectTypeOf<SetCookieAttributes['sameSite']>().toEqualTypeOf<'Strict' | 'Lax' | 'None' | undefined>();
  });
});
