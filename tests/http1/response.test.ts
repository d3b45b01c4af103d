import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { END, HEAD, NEED_DATA, ResponseParser } from '../../src/http1/index.ts';
import { bytesOf, eventsOf, expectResponse, splittings } from './wire-events.ts';

describe('status lines that are taken', () => {
  const cases: readonly (readonly [line: string, head: string])[] = [
    ['HTTP/1.1 200 OK', '200 1.1 OK'],
    ['HTTP/1.0 200 OK', '200 1.0 OK close'],
    ['HTTP/1.1 404 Not  Found ', '404 1.1 Not  Found '],
    ['HTTP/1.1 299 Gr\xfc\xdfe\t!', '299 1.1 Gr\xfc\xdfe\t!'],
    ['HTTP/1.1 999 ?', '999 1.1 ?'],
    // Without a reason; the second is not allowed, and common.
    ['HTTP/1.1 200 ', '200 1.1 '],
    ['HTTP/1.1 200', '200 1.1 '],
  ];
  for (const [line, head] of cases) {
    test(JSON.stringify(line), () => {
      expectResponse(`${line}\r\nContent-Length: 0\r\n\r\n`, [
        head.replace(/( close)?$/, '$1 length=0'),
        'end',
      ]);
      expectResponse(`${line}\nContent-Length: 0\n\n`, [head.replace(/( close)?$/, '$1 length=0'), 'end']);
    });
  }
});

describe('status lines that are refused', () => {
  const cases: readonly (readonly [line: string, code: string])[] = [
    ['\r\nHTTP/1.1 200 OK', 'AIO_BAD_STATUS_LINE'],
    [' HTTP/1.1 200 OK', 'AIO_BAD_STATUS_LINE'],
    ['ICY 200 OK', 'AIO_BAD_STATUS_LINE'],
    ['http/1.1 200 OK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 ', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 20', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 2000 OK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1  200 OK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1\t200 OK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 200\tOK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 +20 OK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 099 OK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 2\xb20 OK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 abc OK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 200 O\0K', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 200 O\x1bK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/1.1 200 O\rK', 'AIO_BARE_CR'],
    ['HTTP/2 200 OK', 'AIO_BAD_STATUS_LINE'],
    ['HTTP/2.0 200 OK', 'AIO_BAD_VERSION'],
    ['HTTP/0.9 200 OK', 'AIO_BAD_VERSION'],
    ['HTTP/1.2 200 OK', 'AIO_BAD_VERSION'],
  ];
  for (const [line, code] of cases) {
    test(JSON.stringify(line), () =>
      expectResponse(`${line}\r\nContent-Length: 0\r\n\r\n`, [`error ${code} 400`]),
    );
  }
});

describe('where the body ends (RFC 9112 §6.3)', () => {
  const cases: readonly (readonly [
    name: string,
    text: string,
    events: readonly string[],
    method?: string,
  ])[] = [
    [
      'at its length',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      ['200 1.1 OK length=5', 'data hello', 'end'],
    ],
    [
      'behind its last chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n',
      ['200 1.1 OK chunked', 'data hello', 'end X: y'],
    ],
    ['with the connection', 'HTTP/1.1 200 OK\r\n\r\nhello', ['200 1.1 OK close', 'data hello', 'end']],
    ['with the connection, empty', 'HTTP/1.1 200 OK\r\n\r\n', ['200 1.1 OK close', 'end']],
    ['with the connection in 1.0', 'HTTP/1.0 200 OK\r\n\r\nhello', ['200 1.0 OK close', 'data hello', 'end']],
    [
      'with the connection although 1.0 would keep it',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello',
      ['200 1.0 OK close', 'data hello', 'end'],
    ],
    [
      'at its length in 1.0 with keep-alive',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx',
      ['200 1.0 OK length=1', 'data x', 'end'],
    ],
    [
      'before it begins: HEAD',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
      ['200 1.1 OK length=5', 'end'],
      'HEAD',
    ],
    [
      'before it begins: HEAD of a chunked one',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      ['200 1.1 OK chunked', 'end'],
      'HEAD',
    ],
    ['before it begins: 204', 'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n', ['204 1.1 No length=5', 'end']],
    [
      'before it begins: 304',
      'HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n',
      ['304 1.1 Not length=5', 'end'],
    ],
    [
      'before it begins: a tunnel',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
      ['200 1.1 OK length=5', 'end'],
      'CONNECT',
    ],
    [
      'as usual: a refused tunnel',
      'HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx',
      ['403 1.1 No length=1', 'data x', 'end'],
      'CONNECT',
    ],
    [
      'interim answers have none',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
      ['100 1.1 Continue', 'end', '103 1.1 Early Hints', 'end', '200 1.1 OK length=1', 'data x', 'end'],
    ],
    [
      'too early is an error: length',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell',
      ['200 1.1 OK length=5', 'data hell', 'error AIO_INCOMPLETE_MESSAGE 400'],
    ],
    [
      'too early is an error: chunked',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n',
      ['200 1.1 OK chunked', 'data hello', 'error AIO_INCOMPLETE_MESSAGE 400'],
    ],
    ['too early is an error: head', 'HTTP/1.1 200 OK\r\nX: y\r\n', ['error AIO_INCOMPLETE_MESSAGE 400']],
  ];
  for (const [name, text, events, method] of cases) test(name, () => expectResponse(text, events, method));

  test('each answer is read by the method of its own request', () => {
    const parser = new ResponseParser();
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
    parser.feed(bytesOf(`${head}${head}ok`));
    parser.expect('HEAD');
    assert.deepEqual([parser.next(), parser.next()], [HEAD, END]);
    parser.expect('GET');
    assert.deepEqual(eventsOf(parser, []), ['200 1.1 OK length=2', 'data ok', 'end']);
  });
});

describe('what is taken from a server because servers do it', () => {
  const fields = (text: string): string[][] => {
    let last: string[][] = [];
    for (const [how, parts] of splittings(bytesOf(text))) {
      const parser = new ResponseParser();
      let event = NEED_DATA as number;
      for (const part of parts) {
        parser.feed(part);
        event = parser.next();
        if (event !== NEED_DATA) break;
      }
      assert.equal(event, HEAD, how);
      const found = [...parser.head.headers];
      for (const [name] of found)
        assert.equal(parser.head.header(name.toLowerCase()), parser.head.headers.get(name));
      if (last.length > 0) assert.deepEqual(found, last, how);
      last = found;
    }
    return last;
  };

  test('LF alone (RFC 9112 §2.2)', () => {
    assert.deepEqual(fields('HTTP/1.1 200 OK\nA: b\r\nC:d\n\n'), [
      ['A', 'b'],
      ['C', 'd'],
    ]);
  });

  test('folded lines, joined with one space (RFC 9112 §5.2)', () => {
    assert.deepEqual(fields('HTTP/1.1 204 OK\r\nA: b\r\n  c\r\n\td \r\nE: f\r\n\r\n'), [
      ['A', 'b c d'],
      ['E', 'f'],
    ]);
    assert.deepEqual(fields('HTTP/1.1 204 OK\r\nA:\r\n b\r\nC: d\r\n \r\nE:\n \nF: g\n\n'), [
      ['A', 'b'],
      ['C', 'd'],
      ['E', ''],
      ['F', 'g'],
    ]);
  });

  test('header() finds what stands behind a folded line that is blank', () => {
    const parser = new ResponseParser();
    parser.feed(bytesOf('HTTP/1.1 204 OK\nE: f\n \nG: h\n\n'));
    assert.equal(parser.next(), HEAD);
    assert.equal(parser.head.header('g'), 'h');
  });

  test('Connection in a folded line', () => {
    expectResponse('HTTP/1.1 204 OK\r\nConnection: keep-alive,\r\n close\r\n\r\n', [
      '204 1.1 OK close',
      'end',
    ]);
    expectResponse('HTTP/1.1 204 OK\r\nConnection:\r\n close\r\n\r\n', ['204 1.1 OK close', 'end']);
  });

  test('equal lengths, repeated or in a list (RFC 9112 §6.3)', () => {
    for (const lines of [
      'Content-Length: 5, 5',
      'Content-Length: 5,5 ,\t5',
      'Content-Length: 5\r\nContent-Length: 5',
      'Content-Length: 5\r\nContent-Length: 5, 5',
    ]) {
      expectResponse(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\nhello`, [
        '200 1.1 OK length=5',
        'data hello',
        'end',
      ]);
    }
  });
});

describe('what is refused from a server too', () => {
  const cases: readonly (readonly [lines: string, code: string])[] = [
    ['X: a\rb', 'AIO_BARE_CR'],
    ['X: a\0b', 'AIO_BAD_FIELD_VALUE'],
    ['X: a\x1bb', 'AIO_BAD_FIELD_VALUE'],
    ['X : a', 'AIO_SPACE_BEFORE_COLON'],
    [' X: a', 'AIO_LINE_FOLDING'],
    [': a', 'AIO_EMPTY_FIELD_NAME'],
    ['X', 'AIO_MISSING_COLON'],
    ['X(y): a', 'AIO_BAD_FIELD_NAME'],
    ['Content-Length: 5\r\nContent-Length: 6', 'AIO_REPEATED_CONTENT_LENGTH'],
    ['Content-Length: 5, 6', 'AIO_REPEATED_CONTENT_LENGTH'],
    ['Content-Length: 6\r\nContent-Length: 5, 5', 'AIO_REPEATED_CONTENT_LENGTH'],
    ['Content-Length: 5,', 'AIO_BAD_CONTENT_LENGTH'],
    ['Content-Length: ,5', 'AIO_BAD_CONTENT_LENGTH'],
    ['Content-Length: 5, \xa05', 'AIO_BAD_CONTENT_LENGTH'],
    ['Content-Length: 5, +5', 'AIO_BAD_CONTENT_LENGTH'],
    ['Content-Length: -5', 'AIO_BAD_CONTENT_LENGTH'],
    ['Content-Length:', 'AIO_BAD_CONTENT_LENGTH'],
    ['Content-Length:\r\n 5', 'AIO_BAD_CONTENT_LENGTH'],
    ['Content-Length: 5,\r\n 5', 'AIO_BAD_CONTENT_LENGTH'],
    // The one that differs stands far behind.
    [`Content-Length: ${'5, '.repeat(200)}6`, 'AIO_BAD_CONTENT_LENGTH'],
    ['Content-Length: 5\r\nTransfer-Encoding: chunked', 'AIO_LENGTH_AND_ENCODING'],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 'AIO_REPEATED_TRANSFER_ENCODING'],
    ['Transfer-Encoding: gzip', 'AIO_BAD_TRANSFER_ENCODING'],
    ['Transfer-Encoding:\r\n chunked', 'AIO_BAD_TRANSFER_ENCODING'],
  ];
  for (const [lines, code] of cases) {
    test(JSON.stringify(lines.slice(0, 60)), () =>
      expectResponse(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\nhello`, [`error ${code} 400`]),
    );
  }

  test('Transfer-Encoding on 1.0', () => {
    expectResponse('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', [
      'error AIO_ENCODING_ON_HTTP10 400',
    ]);
  });

  test('chunks are as strict as a request’s', () => {
    for (const [body, code] of [
      ['5\nhello', 'AIO_BARE_LF'],
      ['5 \r\nhello', 'AIO_BAD_CHUNK_EXTENSION'],
      ['0\r\nContent-Length: 1\r\n\r\n', 'AIO_FORBIDDEN_TRAILER'],
    ] as const) {
      expectResponse(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`, [
        '200 1.1 OK chunked',
        `error ${code} 400`,
      ]);
    }
  });
});
