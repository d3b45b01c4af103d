import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectTypeOf } from 'expect-type';
import fc from 'fast-check';
import type { CIMultiDictProxy, MultiDictProxy } from '../../src/message/index.ts';
import { CIMultiDict, MultiDict, sameName } from '../../src/message/index.ts';

const pairs = (dict: MultiDictProxy<unknown>): [string, unknown][] => [...dict.entries()];

describe('MultiDict', () => {
  test('is made from pairs, objects, maps, platform containers and multidicts', () => {
    const expected = [
      ['a', '1'],
      ['b', '2'],
    ];
    assert.deepEqual(
      pairs(
        new MultiDict([
          ['a', '1'],
          ['b', '2'],
        ] as const),
      ),
      expected,
    );
    assert.deepEqual(pairs(new MultiDict({ a: '1', b: '2' })), expected);
    assert.deepEqual(
      pairs(
        new MultiDict(
          new Map([
            ['a', '1'],
            ['b', '2'],
          ] as const),
        ),
      ),
      expected,
    );
    assert.deepEqual(pairs(new MultiDict(new URLSearchParams('a=1&b=2'))), expected);
    assert.deepEqual(pairs(new MultiDict(new MultiDict({ a: '1', b: '2' }))), expected);
    assert.deepEqual(pairs(new MultiDict()), []);
    assert.deepEqual(pairs(new MultiDict({ a: ['1', '2'], b: undefined, c: [] })), [
      ['a', '1'],
      ['a', '2'],
    ]);
  });

  test('refuses what is neither pairs nor an object', () => {
    for (const init of ['ab', 1, null, ['ab'], [['a']], [['a', 'b', 'c']], [[1, 'b']]]) {
      assert.throws(() => new MultiDict(init as never), { name: 'TypeError', code: 'AIO_MULTIDICT_INIT' });
    }
  });

  test('gives the first value, all values, or nothing', () => {
    const dict = new MultiDict([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]);
    assert.equal(dict.get('a'), 1);
    assert.equal(dict.getOne('a'), 1);
    assert.deepEqual(dict.getAll('a'), [1, 3]);
    assert.equal(dict.get('A'), undefined);
    assert.deepEqual(dict.getAll('c'), []);
    assert.equal(dict.has('b'), true);
    assert.equal(dict.has('c'), false);
    assert.equal(dict.size, 3);
  });

  test('set replaces in the place of the first', () => {
    const dict = new MultiDict({ a: '1', b: '2' }).add('a', '3').add('c', '4').add('a', '5');
    dict.set('a', '9').set('d', '0');
    assert.deepEqual(pairs(dict), [
      ['a', '9'],
      ['b', '2'],
      ['c', '4'],
      ['d', '0'],
    ]);
  });

  test('update replaces place by place, as multidict does', () => {
    const cases: [[string, string][], [string, string][], [string, string][]][] = [
      [
        [
          ['a', '1'],
          ['b', '3'],
        ],
        [
          ['a', '8'],
          ['a', '9'],
        ],
        [
          ['a', '8'],
          ['b', '3'],
          ['a', '9'],
        ],
      ],
      [
        [
          ['a', '1'],
          ['a', '2'],
          ['b', '3'],
        ],
        [
          ['a', '9'],
          ['c', '4'],
        ],
        [
          ['a', '9'],
          ['b', '3'],
          ['c', '4'],
        ],
      ],
      [
        [
          ['a', '1'],
          ['b', '2'],
          ['a', '3'],
          ['a', '4'],
        ],
        [
          ['a', 'x'],
          ['a', 'y'],
        ],
        [
          ['a', 'x'],
          ['b', '2'],
          ['a', 'y'],
        ],
      ],
      [
        [],
        [
          ['a', '1'],
          ['a', '2'],
        ],
        [
          ['a', '1'],
          ['a', '2'],
        ],
      ],
    ];
    for (const [before, added, after] of cases)
      assert.deepEqual(pairs(new MultiDict(before).update(added)), after);
  });

  test('merge, extend, setDefault', () => {
    const dict = new MultiDict({ a: '1' });
    dict.merge([
      ['a', '2'],
      ['b', '3'],
      ['b', '4'],
    ]);
    assert.deepEqual(pairs(dict), [
      ['a', '1'],
      ['b', '3'],
      ['b', '4'],
    ]);
    dict.extend({ a: '5' });
    assert.deepEqual(dict.getAll('a'), ['1', '5']);
    dict.extend(dict);
    assert.equal(dict.size, 8);
    assert.equal(dict.setDefault('a', 'x'), '1');
    assert.equal(dict.setDefault('z', 'x'), 'x');
    assert.equal(dict.get('z'), 'x');
  });

  test('delete and the pops', () => {
    const dict = new MultiDict({ a: ['1', '2', '3'], b: '4' });
    assert.equal(dict.popOne('a'), '1');
    assert.deepEqual(dict.popAll('a'), ['2', '3']);
    assert.deepEqual(dict.popAll('a'), []);
    assert.equal(dict.popOne('a'), undefined);
    assert.deepEqual(dict.popItem(), ['b', '4']);
    assert.equal(dict.popItem(), undefined);
    dict.add('c', '5');
    assert.equal(dict.delete('c'), true);
    assert.equal(dict.delete('c'), false);
    dict.add('d', '6').clear();
    assert.equal(dict.size, 0);
  });

  test('may be changed while iterating', () => {
    const dict = new MultiDict({ a: '1', b: '2', c: '3' });
    const seen: string[] = [];
    for (const [key] of dict) {
      seen.push(key);
      dict.delete(key);
      dict.add(`${key}${key}`, '');
    }
    assert.deepEqual(seen, ['a', 'b', 'c']);
    assert.deepEqual([...dict.keys()], ['aa', 'bb', 'cc']);
  });

  test('a copy is independent', () => {
    const dict = new MultiDict({ a: '1' });
    const copy = dict.copy();
    copy.add('b', '2');
    assert.equal(dict.size, 1);
  });

  test('toJSON gives values and arrays; __proto__ is a key like others', () => {
    const dict = new MultiDict([
      ['a', '1'],
      ['__proto__', 'x'],
      ['a', '2'],
    ]);
    assert.equal(JSON.stringify(dict), '{"a":["1","2"],"__proto__":"x"}');
    assert.equal(Object.getPrototypeOf(dict.toJSON()), Object.prototype);
  });

  test('forEach passes value, key and itself', () => {
    const dict = new MultiDict({ a: '1' });
    dict.forEach((value, key, self) => {
      assert.deepEqual([value, key, self], ['1', 'a', dict]);
    });
  });

  test('behaves as a list of pairs (model)', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.record({ op: fc.constantFrom('add', 'set', 'delete', 'popOne'), key, value: fc.nat() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const dict = new MultiDict<number>();
        let model: [string, number][] = [];
        for (const { op, key, value } of steps) {
          const index = model.findIndex(([name]) => name === key);
          if (op === 'add') {
            dict.add(key, value);
            model.push([key, value]);
          } else if (op === 'set') {
            dict.set(key, value);
            if (index === -1) model.push([key, value]);
            else model = model.filter(([name], i) => name !== key || i === index).with(index, [key, value]);
          } else if (op === 'delete') {
            assert.equal(dict.delete(key), index !== -1);
            model = model.filter(([name]) => name !== key);
          } else {
            assert.equal(dict.popOne(key), model[index]?.[1]);
            if (index !== -1) model.splice(index, 1);
          }
          assert.deepEqual(pairs(dict), model);
        }
      }),
      { seed: 1 },
    );
  });

  test('types', () => {
    expectTypeOf(new MultiDict({ a: '1' })).toEqualTypeOf<MultiDict<string>>();
    expectTypeOf(new MultiDict<number>().get('a')).toEqualTypeOf<number | undefined>();
    expectTypeOf(new CIMultiDict()).toExtend<CIMultiDictProxy>();
    expectTypeOf<CIMultiDictProxy>().toExtend<MultiDictProxy<string>>();
    expectTypeOf<CIMultiDictProxy>().not.toHaveProperty('set');
    expectTypeOf<CIMultiDict['raw']>().toEqualTypeOf<readonly string[]>();
  });
});

describe('CIMultiDict', () => {
  test('finds names in any case and keeps theirs', () => {
    const headers = new CIMultiDict({ 'Content-Type': 'text/plain' });
    assert.equal(headers.get('content-TYPE'), 'text/plain');
    assert.equal(headers.has('CONTENT-TYPE'), true);
    assert.deepEqual([...headers.keys()], ['Content-Type']);
    headers.set('content-type', 'text/html');
    assert.deepEqual(headers.raw, ['content-type', 'text/html']);
    assert.equal(headers.delete('Content-Type'), true);
    assert.equal(headers.size, 0);
  });

  test('folds the case of ASCII letters only', () => {
    const same: [string, string, boolean][] = [
      ['', '', true],
      ['azAZ-09', 'AZaz-09', true],
      ['a@', 'a`', false], // differ by 0x20, no letters
      ['a[', 'a{', false],
      ['a^', 'a~', false],
      ['K', '\u212a', false], // Kelvin sign
      ['é', 'É', false],
      ['\u0141', '\u0161', false],
      ['a', 'ab', false],
    ];
    for (const [one, other, expected] of same) {
      assert.equal(sameName(one, other), expected, `${one} ${other}`);
      assert.equal(new CIMultiDict([[one, 'x']]).has(other), expected, `${one} ${other}`);
    }
  });

  test('joins repeats as the platform does', () => {
    const headers = new CIMultiDict([
      ['Vary', 'Accept'],
      ['vary', 'Origin'],
      ['Cookie', 'a=1'],
      ['cookie', 'b=2'],
      ['Set-Cookie', 'a=1, b'],
      ['set-cookie', 'c=2'],
    ]);
    assert.equal(headers.get('VARY'), 'Accept, Origin');
    assert.equal(headers.get('Cookie'), 'a=1; b=2');
    assert.equal(headers.get('Set-Cookie'), 'a=1, b');
    assert.equal(headers.getOne('vary'), 'Accept');
    assert.deepEqual(headers.getAll('vary'), ['Accept', 'Origin']);
    assert.deepEqual(headers.getSetCookie(), ['a=1, b', 'c=2']);
    assert.equal(headers.get('x'), undefined);
  });

  test('is made from platform Headers', () => {
    const platform = new Headers({ 'Content-Type': 'text/plain' });
    platform.append('Set-Cookie', 'a=1');
    platform.append('Set-Cookie', 'b=2');
    const headers = new CIMultiDict(platform);
    assert.equal(headers.get('Content-Type'), 'text/plain');
    assert.deepEqual(headers.getSetCookie(), ['a=1', 'b=2']);
    assert.deepEqual(new Headers([...headers]).getSetCookie(), ['a=1', 'b=2']);
  });

  test('fromRaw adopts the array', () => {
    const raw = ['Host', 'a', 'X', 'b'];
    const headers = CIMultiDict.fromRaw(raw);
    assert.equal(headers.raw, raw);
    assert.equal(headers.get('host'), 'a');
    assert.throws(() => CIMultiDict.fromRaw(['a']), { code: 'AIO_MULTIDICT_INIT' });
    const copy = headers.copy();
    copy.add('Y', 'c');
    assert.ok(copy instanceof CIMultiDict);
    assert.equal(raw.length, 4);
  });

  test('update and toJSON see one name in any case', () => {
    const headers = new CIMultiDict([
      ['A', '1'],
      ['B', '2'],
      ['a', '3'],
    ]);
    assert.deepEqual(headers.toJSON(), { A: ['1', '3'], B: '2' });
    headers.update({ a: '9' });
    assert.deepEqual(headers.raw, ['a', '9', 'B', '2']);
    headers.merge({ b: 'x', C: 'y' });
    assert.deepEqual(headers.raw, ['a', '9', 'B', '2', 'C', 'y']);
  });
});
