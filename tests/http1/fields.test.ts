import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HEAD, type ParsedRequest, RequestParser } from '../../src/http1/index.ts';
import { bytesOf, expectRequest, splittings } from './wire-events.ts';

const LINE = 'GET / HTTP/1.1\r\nHost: a\r\n';

function parse(text: string): ParsedRequest {
  const parser = new RequestParser();
  parser.feed(bytesOf(text));
  assert.equal(parser.next(), HEAD);
  return parser.head;
}

test('fields keep their order, their case and their repeats', () => {
  const text = `${LINE}X-One: 1\r\nx-two:2\r\nX-ONE: \t 3 \t\r\nEmpty:\r\nBlank:  \t \r\n!#$%&'*+-.^_\`|~9: ok\r\n\r\n`;
  for (const [how, parts] of splittings(bytesOf(text))) {
    const parser = new RequestParser();
    let event = 0;
    for (const part of parts) {
      parser.feed(part);
      event = parser.next();
    }
    assert.equal(event, HEAD, how);
    const { headers } = parser.head;
    assert.deepEqual(
      [...headers],
      [
        ['Host', 'a'],
        ['X-One', '1'],
        ['x-two', '2'],
        ['X-ONE', '3'],
        ['Empty', ''],
        ['Blank', ''],
        ["!#$%&'*+-.^_`|~9", 'ok'],
      ],
      how,
    );
    assert.deepEqual(headers.getAll('x-one'), ['1', '3']);
  }
});

test('header() finds one field without building the container, and the same afterwards', () => {
  const head = parse(
    `${LINE}X-One: 1\r\nX-One-More: no\r\nxX-One: no\r\nX-ONE:3\r\nX-On: no\r\nEmpty:\r\n\r\n`,
  );
  const lookUp = (): unknown[] =>
    ['host', 'x-one', 'empty', 'absent', 'x-one-mor', 'x'].map((name) => head.header(name));
  const expected = ['a', '1, 3', '', undefined, undefined, undefined];
  assert.deepEqual(lookUp(), expected);
  assert.equal(head.headers.get('X-One'), '1, 3');
  assert.deepEqual(lookUp(), expected);
});

test('bytes that are not UTF-8 survive as latin1, and only SP and HTAB are trimmed', () => {
  const head = parse(`${LINE}X: \xa0\xff\xc3\xa4\x85\xa0 \r\n\r\n`);
  assert.equal(head.header('x'), '\xa0\xff\xc3\xa4\x85\xa0');
  assert.equal(head.headers.get('X'), '\xa0\xff\xc3\xa4\x85\xa0');
});

describe('field lines that are refused', () => {
  const cases: [field: string, error: string][] = [
    // Bare CR and LF, RFC 9112 §2.2.
    ['X: a\nY: b', 'AIO_BARE_LF 400'],
    ['X: a\rb', 'AIO_BARE_CR 400'],
    ['X: a\r\rb', 'AIO_BARE_CR 400'],
    ['X: a\r\n\rb', 'AIO_BARE_CR 400'],
    ['X: a\r\n\nb', 'AIO_BARE_LF 400'],
    ['X\n: a', 'AIO_BARE_LF 400'],
    ['X: \nY: b', 'AIO_BARE_LF 400'],
    // Line folding, RFC 9112 §5.2.
    ['X: a\r\n b', 'AIO_LINE_FOLDING 400'],
    ['X: a\r\n\tb', 'AIO_LINE_FOLDING 400'],
    ['X: a\r\n ', 'AIO_LINE_FOLDING 400'],
    // Names, RFC 9112 §5.1.
    ['X : a', 'AIO_SPACE_BEFORE_COLON 400'],
    ['X\t: a', 'AIO_SPACE_BEFORE_COLON 400'],
    ['X Y: a', 'AIO_SPACE_BEFORE_COLON 400'],
    [': a', 'AIO_EMPTY_FIELD_NAME 400'],
    [':', 'AIO_EMPTY_FIELD_NAME 400'],
    ['X', 'AIO_MISSING_COLON 400'],
    ['X(y): a', 'AIO_BAD_FIELD_NAME 400'],
    ['"X": a', 'AIO_BAD_FIELD_NAME 400'],
    ['X@y: a', 'AIO_BAD_FIELD_NAME 400'],
    ['{}: a', 'AIO_BAD_FIELD_NAME 400'],
    ['X\0: a', 'AIO_BAD_FIELD_NAME 400'],
    ['\0X: a', 'AIO_BAD_FIELD_NAME 400'],
    ['\x0bX: a', 'AIO_BAD_FIELD_NAME 400'],
    ['\xe4: a', 'AIO_BAD_FIELD_NAME 400'],
    ['X\xa0: a', 'AIO_BAD_FIELD_NAME 400'],
    ['\xef\xbb\xbfX: a', 'AIO_BAD_FIELD_NAME 400'],
  ];
  // Values, RFC 9110 §5.5: NUL and every other control but HTAB.
  for (let byte = 0; byte < 0x20; byte++) {
    if (byte === 0x09 || byte === 0x0a || byte === 0x0d) continue;
    cases.push([`X: a${String.fromCharCode(byte)}b`, 'AIO_BAD_FIELD_VALUE 400']);
  }
  cases.push(['X: \x7f', 'AIO_BAD_FIELD_VALUE 400'], ['X: \0', 'AIO_BAD_FIELD_VALUE 400']);

  for (const [field, error] of cases) {
    test(JSON.stringify(field), () => expectRequest(`${LINE}${field}\r\n\r\n`, [`error ${error}`]));
  }

  test('also in the first line behind the request line', () => {
    expectRequest('GET / HTTP/1.1\r\n Host: a\r\n\r\n', ['error AIO_LINE_FOLDING 400']);
    expectRequest('GET / HTTP/1.1\r\n: a\r\n\r\n', ['error AIO_EMPTY_FIELD_NAME 400']);
  });
});
