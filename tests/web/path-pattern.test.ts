import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';
import { PathPattern } from '../../src/web/path-pattern.ts';

describe('PathPattern', () => {
  for (const [text, canonical, names, staticPrefix] of [
    ['', '', [], ''],
    ['/', '/', [], ''],
    ['/a/', '/a/', [], '/a'],
    ['/{a}', '/{a}', ['a'], ''],
    ['/x/{a}', '/x/{a}', ['a'], '/x'],
    ['/x/y{a}/z', '/x/y{a}/z', ['a'], '/x'],
    ['/core/locations{tail:.*}', '/core/locations{tail}', ['tail'], '/core'],
    ['/x/{id:\\d{3}}-{_b1:[^{}/]+}.json', '/x/{id}-{_b1}.json', ['id', '_b1'], '/x'],
    ['/x//{a}', '/x//{a}', ['a'], '/x'],
  ] as const) {
    test(`${text || "''"}`, () => {
      const pattern = PathPattern.parse(text);
      assert.equal(pattern.canonical, canonical);
      assert.deepEqual(pattern.names, names);
      assert.equal(pattern.staticPrefix, staticPrefix);
      assert.equal(pattern.text, text);
    });
  }

  for (const [text, message] of [
    ['a', /path should be started with \/ or be empty, got "a"/],
    ['{a}', /path should be started with \//],
    ['*a', /path should be started with \//],
    ['/{a', /Invalid path "\/\{a"\["\{a"\]: a brace is not closed/],
    ['/a}', /Invalid path "\/a\}"\["\/a\}"\]/],
    ['/{}', /Invalid path.*"\{\}"/],
    ['/{1a}', /Invalid path/],
    ['/{a-b}', /Invalid path/],
    ['/{a:}', /Invalid path/],
    ['/{ a}', /Invalid path/],
    ['/{a{b}}', /Invalid path/],
    ['/{a:x{{2}}}', /braces may be nested once only/],
    ['/{a}/{a}', /the parameter \{a\} is there twice/],
    ['/{__proto__}', /cannot be used/],
    ['/a?b={b}', /a query is no part of a route/],
    ['/1%2C3/hello', /could never match, because paths are matched decoded: write "\/1,3\/hello"/],
    ['/caf%C3%A9', /write "\/café"/],
  ] as const) {
    test(`refused: ${text}`, () => {
      assert.throws(() => PathPattern.parse(text), { name: 'RangeError', code: 'AIO_ROUTE_PATH', message });
    });
  }

  test('a path must be a string', () => {
    assert.throws(() => PathPattern.parse(7 as never), { name: 'TypeError', message: /got number/ });
    assert.throws(() => new web.UrlDispatcher().addResource(undefined as never), { name: 'TypeError' });
  });

  test('an error in an expression says where it is', () => {
    assert.throws(() => PathPattern.parse('/x/{id:[}'), {
      name: 'RangeError',
      code: 'AIO_ROUTE_REGEX',
      message: `Bad pattern '[' of {id} in "/x/{id:[}": missing ']'`,
    });
  });

  test('an expression that could take long is refused with its part and a way out', () => {
    const router = new web.UrlDispatcher();
    for (const [path, message] of [
      ['/{a:(?:x+)+}', /Bad pattern '\(\?:x\+\)\+' of \{a\} in .*'\(\?:x\+\)\+' repeats 'x\+'.*Repeat once/],
      [
        '/{a:\\d+}{b:\\d+}',
        /'\\d\+' and '\\d\+' can match the same characters.*Let them match different characters/,
      ],
      ['/{a}-{b}-{c:x|y}', /'\{a\}' and '\{b\}' can match the same characters/],
      ['/{a:.+}/x/{b:.+}/y', /'\.\+' and '\.\+' can match/],
    ] as const) {
      assert.throws(() => router.addResource(path), { name: 'RangeError', code: 'AIO_ROUTE_REGEX', message });
    }
    assert.equal(router.resources().length, 0);
  });

  test('format puts values in', () => {
    assert.equal(PathPattern.parse('/é/{a}.{b:x|y}').format({ a: 'ü', b: 'x' }), '/%C3%A9/%C3%BC.x');
  });
});

test('the type of the parameters follows the pattern', () => {
  expectTypeOf<web.PathParams<'/'>>().toEqualTypeOf<Record<never, string>>();
  expectTypeOf<web.PathParams<'/{user}/{id:\\d+}'>>().toEqualTypeOf<{ user: string; id: string }>();
  expectTypeOf<web.PathParams<'/{id:\\d{3}}'>>().toEqualTypeOf<{ id: string }>();
  expectTypeOf<web.PathParams<'/{d:\\d{4}-\\d{2}}/x/{name}.html'>>().toEqualTypeOf<{
    d: string;
    name: string;
  }>();
  expectTypeOf<web.PathParams<'/{a}-{b}/{c:[^{}/]+}/{tail:.*}'>>().toEqualTypeOf<{
    a: string;
    b: string;
    c: string;
    tail: string;
  }>();
  expectTypeOf<web.PathParams<string>>().toEqualTypeOf<web.Params>();
});

test('handlers get the type of their path', () => {
  web.get('/{user}/{id:\\d+}', (request) => {
    expectTypeOf(request.matchInfo).toEqualTypeOf<{ user: string; id: string }>();
    // @ts-expect-error there is no such parameter
    request.matchInfo.name;
    return new web.Response();
  });
  web.post('/', async (request) => {
    expectTypeOf(request.matchInfo).toEqualTypeOf<Record<never, string>>();
    return new web.Response();
  });
  const path: string = '/{x}';
  web.put(path, (request) => {
    expectTypeOf(request.matchInfo).toEqualTypeOf<web.Params>();
    return new web.Response();
  });
  const plain = (request: web.Request): web.Response =>
    new web.Response({ text: request.matchInfo['id'] ?? '' });
  web.patch('/{id}', plain);
  const typed = (request: web.Request<{ id: string }>): web.Response =>
    new web.Response({ text: request.matchInfo.id });
  web.delete('/{id}', typed);
  // @ts-expect-error a handler returns a response
  web.get('/', () => 'text');
  // @ts-expect-error a handler is a function or a View
  web.get('/', new web.Response());
});
