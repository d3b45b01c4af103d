import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MultipartError } from '../../src/message/index.ts';
import { MultipartBudget, resolveMultipartLimits } from '../../src/message/multipart-limits.ts';
import {
  MULTIPART_DATA,
  MULTIPART_END,
  MULTIPART_NEED_DATA,
  MULTIPART_PART,
  MultipartParser,
  parseMultipartType,
} from '../../src/message/multipart-parser.ts';

interface Part {
  readonly headers: [string, string][];
  data: string;
  ended: boolean;
}

type Limits = Parameters<typeof resolveMultipartLimits>[0];

/** The parts, or the code of the error. */
function parse(boundary: string, pieces: Iterable<Uint8Array>, limits: Limits = {}): Part[] | string {
  const parts: Part[] = [];
  try {
    const parser = new MultipartParser(boundary, new MultipartBudget(resolveMultipartLimits(limits)));
    for (const piece of pieces) {
      parser.push(piece);
      for (;;) {
        const event = parser.next();
        if (event === MULTIPART_NEED_DATA || event === MULTIPART_END) break;
        if (event === MULTIPART_PART)
          parts.push({ headers: [...parser.head.headers], data: '', ended: false });
        else if (event === MULTIPART_DATA) {
          assert.ok(parser.data.length > 0);
          parts.at(-1)!.data += Buffer.from(parser.data).toString('latin1');
        } else parts.at(-1)!.ended = true;
      }
    }
    parser.finish();
  } catch (error) {
    assert.ok(error instanceof MultipartError, String(error));
    return error.code;
  }
  assert.ok(parts.every(({ ended }) => ended));
  return parts;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function* cut(whole: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

/** What comes out of a body, which must not depend on how it is split. */
function outcome(boundary: string, text: string, limits?: Limits): Part[] | string {
  const whole = bytes(text);
  const expected = parse(boundary, [whole], limits);
  for (const size of [1, 2, 3, 5, 7]) assert.deepEqual(parse(boundary, cut(whole, size), limits), expected);
  for (let at = 1; at < whole.length; at++) {
    assert.deepEqual(
      parse(boundary, [whole.subarray(0, at), whole.subarray(at)], limits),
      expected,
      `split at ${at}`,
    );
  }
  return expected;
}

const part = (data: string, ...headers: [string, string][]): Part => ({ headers, data, ended: true });

describe('multipart bodies, split at every byte', () => {
  const bodies: readonly [title: string, body: string, expected: Part[] | string][] = [
    ['one part', '--b\r\nA: 1\r\n\r\ndata\r\n--b--\r\n', [part('data', ['A', '1'])]],
    ['no parts', '--b--\r\n', []],
    ['no line end at the end', '--b\r\n\r\nx\r\n--b--', [part('x')]],
    ['a preamble and an epilogue', 'pre\r\n--x\r\n--b\r\n\r\nx\r\n--b--\r\nepi\r\n--b\r\n', [part('x')]],
    ['a part without header lines', '--b\r\n\r\nx\r\n--b--', [part('x')]],
    ['an empty part', '--b\r\nA: 1\r\n\r\n\r\n--b--', [part('', ['A', '1'])]],
    ['an empty part without a line end of its own', '--b\r\nA: 1\r\n\r\n--b--', [part('', ['A', '1'])]],
    [
      'header lines of all kinds',
      '--b\r\nA:1\r\na: \t2 \r\nB:\r\nC: \xe9\xa0\r\n\r\n\r\n--b--',
      [part('', ['A', '1'], ['a', '2'], ['B', ''], ['C', '\xe9\xa0'])],
    ],
    [
      'white space behind a boundary',
      '--b \t \r\n\r\nx\r\n--b\t\r\n\r\ny\r\n--b--  \r\n',
      [part('x'), part('y')],
    ],
    ['line ends inside data', '--b\r\n\r\n\r\n\r\nx\r\r\n\n\r\n--b--', [part('\r\n\r\nx\r\r\n\n')]],
    [
      'what begins like a boundary',
      '--b\r\n\r\n\r\n--\r\n-\r\n--a\r\n--bx\r\n--b-x\r\n--b -\r\n--b\rx\r\n--b--',
      [part('\r\n--\r\n-\r\n--a\r\n--bx\r\n--b-x\r\n--b -\r\n--b\rx')],
    ],
    ['what begins like a boundary just before one', '--b\r\n\r\nx\r\n--b\r\r\n--b--', [part('x\r\n--b\r')]],
    [
      'a boundary that is not at the beginning of a line',
      '--b\r\n\r\nx--b--\r\ny\n--b\r\r\n--b--',
      [part('x--b--\r\ny\n--b\r')],
    ],
    [
      'a body of a browser',
      [
        '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n',
        '--b\r\nContent-Disposition: form-data; name="f"; filename="x.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\r\n',
        '--b--\r\n',
      ].join(''),
      [
        part('1', ['Content-Disposition', 'form-data; name="a"']),
        part(
          '\x89PNG\r\n\x1a\n',
          ['Content-Disposition', 'form-data; name="f"; filename="x.png"'],
          ['Content-Type', 'image/png'],
        ),
      ],
    ],
    ['nothing', '', 'AIO_MULTIPART_TRUNCATED'],
    ['no boundary', 'hello\r\n--c--\r\n', 'AIO_MULTIPART_TRUNCATED'],
    ['line feeds only', '--b\nA: 1\n\nx\n--b--\n', 'AIO_MULTIPART_TRUNCATED'],
    ['an end in the header lines', '--b\r\nA: 1\r\n', 'AIO_MULTIPART_TRUNCATED'],
    ['an end in the data', '--b\r\nA: 1\r\n\r\nx', 'AIO_MULTIPART_TRUNCATED'],
    [
      'an end behind a boundary that is not the last',
      '--b\r\nA: 1\r\n\r\nx\r\n--b',
      'AIO_MULTIPART_TRUNCATED',
    ],
    ['an end in the last boundary', '--b\r\nA: 1\r\n\r\nx\r\n--b-', 'AIO_MULTIPART_TRUNCATED'],
    ['a header line without a colon', '--b\r\nA\r\n\r\nx\r\n--b--', 'AIO_MULTIPART_HEADER'],
    ['a header line without a name', '--b\r\n: 1\r\n\r\nx\r\n--b--', 'AIO_MULTIPART_HEADER'],
    ['a space before a colon', '--b\r\nA : 1\r\n\r\nx\r\n--b--', 'AIO_MULTIPART_HEADER'],
    ['a folded header line', '--b\r\nA: 1\r\n 2\r\n\r\nx\r\n--b--', 'AIO_MULTIPART_HEADER'],
    ['a bare line feed in header lines', '--b\r\nA: 1\nB: 2\r\n\r\nx\r\n--b--', 'AIO_MULTIPART_HEADER'],
    ['a NUL in header lines', '--b\r\nA: \0\r\n\r\nx\r\n--b--', 'AIO_MULTIPART_HEADER'],
    ['too much white space', `--b${' '.repeat(65)}\r\n\r\nx\r\n--b--`, 'AIO_MULTIPART_BOUNDARY'],
  ];
  for (const [title, body, expected] of bodies) {
    test(title, () => assert.deepEqual(outcome('b', body), expected));
  }

  test('boundaries that repeat themselves', () => {
    for (const boundary of ['-', '--', 'aaaa', 'abab', "'()+_,-./:=?", 'x'.repeat(70)]) {
      const near = [`--${boundary.slice(0, -1)}`, boundary, `-${boundary}`, `x--${boundary}`, '--', '-'].join(
        '\r\n',
      );
      const body = `--${boundary}\r\n\r\n${near}\r\n--${boundary}\r\n\r\ny\r\n--${boundary}--`;
      const expected = parse(boundary, [bytes(body)]);
      // With boundaries of dashes only the data may hold what ends it.
      if (!boundary.startsWith('-')) assert.deepEqual(expected, [part(near), part('y')]);
      outcome(boundary, body);
    }
  });
});

/** What the parser should do, on the whole body, in a few lines. */
function reference(boundary: string, body: string): Part[] | string {
  const text = `\r\n${body}`;
  const delimiter = new RegExp(`\\r\\n--${boundary}(?:(--)|[ \\t]{0,64}\\r\\n)`, 'g');
  let found = delimiter.exec(text);
  const parts: Part[] = [];
  while (found !== null && found[1] === undefined) {
    const start = delimiter.lastIndex;
    const end = text.indexOf('\r\n\r\n', start - 2);
    if (end === -1) return 'AIO_MULTIPART_TRUNCATED';
    const head = end < start ? [] : text.slice(start, end).split('\r\n');
    if (!head.every((line) => /^[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*$/.test(line)))
      return 'AIO_MULTIPART_HEADER';
    const headers = head.map(
      (line) =>
        [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as [string, string],
    );
    delimiter.lastIndex = end + 2;
    found = delimiter.exec(text);
    if (found === null) break;
    parts.push(part(text.slice(end + 4, Math.max(end + 4, found.index)), ...headers));
  }
  return found === null ? 'AIO_MULTIPART_TRUNCATED' : parts;
}

describe('random bodies', () => {
  for (const [boundary, seed] of [
    ['b', 1],
    ['bb', 2],
    ['-', 3],
    ['b--b', 4],
  ] as const) {
    test(`are read as a simple implementation reads them (boundary ${boundary})`, () => {
      const tokens = [
        '\r',
        '\n',
        '\r\n',
        '-',
        '--',
        'b',
        ' ',
        `--${boundary}`,
        `\r\n--${boundary}`,
        `\r\n--${boundary}\r\n`,
      ];
      const more = [
        `\r\n--${boundary}\r\n\r\n`,
        `\r\n--${boundary}\r\nA: 1\r\n\r\n`,
        `\r\n--${boundary}--`,
        'A: 1',
        '\r\n\r\n',
        'x',
      ];
      const body = fc
        .array(fc.constantFrom(...tokens, ...more), { maxLength: 40 })
        .map((list) => list.join(''));
      fc.assert(
        fc.property(body, fc.array(fc.nat(12), { minLength: 1, maxLength: 10 }), (text, sizes) => {
          const begun = `--${boundary}\r\n\r\n${text}`;
          for (const given of [text, begun, `${begun}\r\n--${boundary}--`]) {
            const whole = bytes(given);
            const pieces: Uint8Array[] = [];
            for (let at = 0, turn = 0; at < whole.length; turn++) {
              const size = sizes[turn % sizes.length]! + 1;
              pieces.push(whole.subarray(at, at + size));
              at += size;
            }
            const expected = reference(boundary, given);
            assert.deepEqual(parse(boundary, pieces), expected);
            assert.deepEqual(parse(boundary, [whole]), expected);
          }
        }),
        { seed, numRuns: 2000 },
      );
    });
  }
});

describe('limits of multipart bodies', () => {
  const three = '--b\r\nA: 1\r\nB: 2\r\n\r\nxyz\r\n--b\r\n\r\ny\r\n--b\r\n\r\n\r\n--b--';
  const table: readonly [limits: Limits, expected: string | undefined][] = [
    [
      {
        maxParts: 3,
        maxHeaders: 2,
        maxHeadSize: 12,
        maxTotalHeadSize: 12,
        maxPartSize: 3,
        maxSize: three.length,
      },
      undefined,
    ],
    [{ maxParts: 2 }, 'AIO_MULTIPART_TOO_MANY_PARTS'],
    [{ maxHeaders: 1 }, 'AIO_MULTIPART_HEADERS_TOO_LARGE'],
    [{ maxHeadSize: 11 }, 'AIO_MULTIPART_HEADERS_TOO_LARGE'],
    [{ maxTotalHeadSize: 11 }, 'AIO_MULTIPART_HEADERS_TOO_LARGE'],
    [{ maxPartSize: 2 }, 'AIO_MULTIPART_PART_TOO_LARGE'],
    [{ maxSize: three.length - 1 }, 'AIO_MULTIPART_TOO_LARGE'],
  ];
  for (const [limits, expected] of table) {
    test(JSON.stringify(limits), () => {
      const result = outcome('b', three, limits);
      assert.equal(typeof result === 'string' ? result : undefined, expected);
    });
  }

  test('header lines that never end are not kept beyond the limit', () => {
    const head = bytes(`--b\r\n${'A: 1\r\n'.repeat(2_000_000)}`);
    assert.equal(parse('b', cut(head, 65_536)), 'AIO_MULTIPART_HEADERS_TOO_LARGE');
    assert.equal(
      parse('b', cut(bytes(`--b\r\n${'a'.repeat(100_000)}`), 1)),
      'AIO_MULTIPART_HEADERS_TOO_LARGE',
    );
  });

  test('a limit must be a number', () => {
    for (const value of [-1, Number.NaN, '5' as never]) {
      assert.throws(() => resolveMultipartLimits({ maxParts: value }), {
        name: 'RangeError',
        code: 'AIO_MULTIPART_LIMIT',
      });
    }
  });
});

// Megabytes of what is worst for a search: with work that grows with the square these would take hours.
describe('hostile bodies take linear time', { timeout: 300_000 }, () => {
  const boundary = 'a'.repeat(70);
  const hostile: readonly [title: string, unit: string][] = [
    ['boundaries but for their last byte', `\r\n--${boundary.slice(1)}b`],
    ['boundaries that go on', `\r\n--${boundary}b`],
    ['boundaries with white space that go on', `\r\n--${boundary}${' '.repeat(64)}b`],
    ['the letters of the boundary', boundary],
    ['line ends', '\r\n'],
    ['carriage returns', '\r'],
    ['dashes', '\r\n--'],
  ];
  for (const [title, unit] of hostile) {
    test(title, () => {
      const data = unit.repeat(Math.ceil(4_000_000 / unit.length));
      const whole = bytes(`--${boundary}\r\n\r\n${data}\r\n--${boundary}--`);
      const expected = [part(data)];
      for (const size of [whole.length, 65_536, 100]) {
        assert.ok(sameParts(parse(boundary, cut(whole, size)), expected), `pieces of ${size}`);
      }
    });
  }

  test('thousands of parts', () => {
    const whole = bytes(`${'--b\r\nA: 1\r\n\r\nx\r\n'.repeat(100_000)}--b--`);
    const result = parse('b', cut(whole, 1000), { maxParts: 100_000 });
    assert.equal(result.length, 100_000);
    assert.equal(parse('b', cut(whole, 1000)), 'AIO_MULTIPART_TOO_MANY_PARTS');
  });
});

/** deepEqual shows what differs, which takes minutes for megabytes. */
function sameParts(given: Part[] | string, expected: readonly Part[]): boolean {
  return (
    typeof given !== 'string' &&
    given.length === expected.length &&
    given.every((one, i) => one.data === expected[i]!.data)
  );
}

describe('the Content-Type of a multipart', () => {
  const good: readonly [type: string, subtype: string, boundary: string][] = [
    ['multipart/form-data; boundary=abc', 'form-data', 'abc'],
    ['Multipart/Mixed; charset=utf-8; Boundary="a b:c"', 'mixed', 'a b:c'],
    ['multipart/form-data; boundary=----=_Part_1:2', 'form-data', '----=_Part_1:2'],
    [`multipart/mixed; boundary=${'x'.repeat(70)}`, 'mixed', 'x'.repeat(70)],
  ];
  for (const [type, subtype, boundary] of good) {
    test(type, () => assert.deepEqual(parseMultipartType(type), { subtype, boundary }));
  }
  const bad: readonly [type: string | undefined, code: string][] = [
    [undefined, 'AIO_MULTIPART_TYPE'],
    ['text/plain; boundary=a', 'AIO_MULTIPART_TYPE'],
    ['multipart', 'AIO_MULTIPART_TYPE'],
    ['multipart/form-data', 'AIO_MULTIPART_BOUNDARY'],
    ['multipart/form-data; boundary=""', 'AIO_MULTIPART_BOUNDARY'],
    ['multipart/form-data; boundary="a "', 'AIO_MULTIPART_BOUNDARY'],
    ['multipart/form-data; boundary="a\\"b"', 'AIO_MULTIPART_BOUNDARY'],
    ['multipart/form-data; boundary="é"', 'AIO_MULTIPART_BOUNDARY'],
    ['multipart/form-data; boundary=a; boundary=b', 'AIO_MULTIPART_TYPE'],
    [`multipart/mixed; boundary=${'x'.repeat(71)}`, 'AIO_MULTIPART_BOUNDARY'],
  ];
  for (const [type, code] of bad) {
    test(`not ${type}`, () => assert.throws(() => parseMultipartType(type), { code, status: 400 }));
  }
});
