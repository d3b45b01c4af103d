import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DATA, END, HEAD, NEED_DATA, RequestParser } from '../../src/http1/index.ts';
import { bytesOf, expectRequest } from './wire-events.ts';

const HEAD_LINES = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
const TAKEN = 'POST / 1.1 chunked';

describe('chunks that are taken (RFC 9112 §7.1)', () => {
  const cases: readonly (readonly [body: string, ...events: string[]])[] = [
    ['0\r\n\r\n', 'end'],
    ['5\r\nhello\r\n0\r\n\r\n', 'data hello', 'end'],
    ['5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n', 'data hello, world', 'end'],
    ['a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n', 'data 01234567890123456789', 'end'],
    ['0000000000005\r\nhello\r\n0000000000000\r\n\r\n', 'data hello', 'end'],
    ['4\r\n\r\n\r\n\r\n0\r\n\r\n', 'data \r\n\r\n', 'end'],
    ['7\r\n0\r\n\r\n\0\xff\r\n0\r\n\r\n', 'data 0\r\n\r\n\0\xff', 'end'],
    // Extensions are checked and dropped (§7.1.1).
    ['5;a\r\nhello\r\n0;b\r\n\r\n', 'data hello', 'end'],
    ['5;a=b;c="d";e\r\nhello\r\n0\r\n\r\n', 'data hello', 'end'],
    ['5 ; a = b\t;\tc\t=\t"d" \r\nhello\r\n0\r\n\r\n', 'data hello', 'end'],
    ['5;a="x;\\"y\\\\, \t\xe4"\r\nhello\r\n0\r\n\r\n', 'data hello', 'end'],
    ['5;a=""\r\nhello\r\n0\r\n\r\n', 'data hello', 'end'],
    // Trailers (§7.1.2).
    ['0\r\nX-Sum: 1\r\n\r\n', 'end X-Sum: 1'],
    [
      '1\r\nx\r\n0\r\nX-Sum: 1\r\nx-sum:2\r\nEtag: "e"\r\n\r\n',
      'data x',
      'end X-Sum: 1, x-sum: 2, Etag: "e"',
    ],
  ];
  for (const [body, ...events] of cases) {
    test(JSON.stringify(body), () => expectRequest(HEAD_LINES + body, [TAKEN, ...events]));
  }

  test('the next request is found behind them, without the trailers of the one before', () => {
    expectRequest(`${HEAD_LINES}0\r\nX: 1\r\n\r\n${HEAD_LINES}0\r\n\r\nGET / HTTP/1.0\r\n\r\n`, [
      TAKEN,
      'end X: 1',
      TAKEN,
      'end',
      'GET / 1.0 close',
      'end',
    ]);
  });
});

describe('chunks that are refused', () => {
  const cases: readonly (readonly [body: string, ...events: string[]])[] = [
    // Sizes.
    ['\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['g\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['5g\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['0x5\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['-5\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['+5\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    [' 5\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['5_0\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['5,\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['\xb2\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['\0\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    [';a\r\n', 'error AIO_BAD_CHUNK_SIZE 400'],
    ['00000000000005\r\n', 'error AIO_CHUNK_SIZE_TOO_LARGE 400'],
    ['fffffffffffff0\r\n', 'error AIO_CHUNK_SIZE_TOO_LARGE 400'],
    ['10000000000000005\r\n', 'error AIO_CHUNK_SIZE_TOO_LARGE 400'],
    // Line ends.
    ['5\nhello\r\n', 'error AIO_BARE_LF 400'],
    ['5\rhello\r\n', 'error AIO_BARE_CR 400'],
    ['5;a\nhello\r\n', 'error AIO_BARE_LF 400'],
    ['5;a\rhello\r\n', 'error AIO_BARE_CR 400'],
    ['0\n\n', 'error AIO_BARE_LF 400'],
    ['0\r\n\n', 'error AIO_BARE_LF 400'],
    ['0\r\n\r\r\n', 'error AIO_BARE_CR 400'],
    ['5\r\nhelloX\r\n', 'data hello', 'error AIO_MISSING_CHUNK_END 400'],
    ['5\r\nhello\n0\r\n', 'data hello', 'error AIO_MISSING_CHUNK_END 400'],
    ['5\r\nhello\rX', 'data hello', 'error AIO_MISSING_CHUNK_END 400'],
    ['5\r\nhello0\r\n\r\n', 'data hello', 'error AIO_MISSING_CHUNK_END 400'],
    ['5\r\nhello\r\n\r\n0\r\n\r\n', 'data hello', 'error AIO_BAD_CHUNK_SIZE 400'],
    // Extensions.
    ['5 \r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5 a\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;;a\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;=b\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a=\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a b\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a \r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a=b c\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a=b"c"\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a="b"c\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a="b\r\nhello"\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a="b\\\r\n"\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a="\0"\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;a,b\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    ['5;\xe4\r\nhello\r\n', 'error AIO_BAD_CHUNK_EXTENSION 400'],
    // Trailers: as strict as a head.
    ['0\r\nX : y\r\n\r\n', 'error AIO_SPACE_BEFORE_COLON 400'],
    ['0\r\n X: y\r\n\r\n', 'error AIO_LINE_FOLDING 400'],
    ['0\r\nX: y\r\n z\r\n\r\n', 'error AIO_LINE_FOLDING 400'],
    ['0\r\nX: y\n\r\n', 'error AIO_BARE_LF 400'],
    ['0\r\nX: \0\r\n\r\n', 'error AIO_BAD_FIELD_VALUE 400'],
    ['0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'error AIO_SPACE_BEFORE_COLON 400'],
  ];
  for (const [body, ...events] of cases) {
    test(JSON.stringify(body), () => expectRequest(HEAD_LINES + body, [TAKEN, ...events]));
  }

  // RFC 9110 §6.5.1: framing, routing, modifiers, authentication, content format.
  const forbidden = [
    'Authorization',
    'Cache-Control',
    'Connection',
    'Content-Encoding',
    'Content-Length',
    'Content-Range',
    'Content-Type',
    'Cookie',
    'Expect',
    'Host',
    'Keep-Alive',
    'Max-Forwards',
    'Proxy-Authenticate',
    'Proxy-Authorization',
    'Proxy-Connection',
    'Range',
    'Set-Cookie',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'WWW-Authenticate',
    'HOST',
    'transfer-encoding',
  ];
  for (const name of forbidden) {
    test(`${name} in the trailer section`, () =>
      expectRequest(`${HEAD_LINES}0\r\nX: y\r\n${name}: z\r\n\r\n`, [
        TAKEN,
        'error AIO_FORBIDDEN_TRAILER 400',
      ]));
  }
});

describe('sizes at the edge', () => {
  test('a size of 13 digits is held exactly', () => {
    const parser = new RequestParser();
    parser.feed(bytesOf(`${HEAD_LINES}fffffffffffff\r\n`));
    assert.equal(parser.next(), HEAD);
    assert.equal(parser.next(), NEED_DATA);
    parser.feed(Buffer.alloc(1000));
    assert.equal(parser.next(), DATA);
    assert.equal(parser.data.length, 1000);
    assert.equal(parser.next(), NEED_DATA);
  });

  test('data is a view on what was fed, not a copy', () => {
    const parser = new RequestParser();
    parser.feed(bytesOf(HEAD_LINES));
    assert.equal(parser.next(), HEAD);
    const piece = bytesOf('5\r\nhello\r\n0\r\n\r\n');
    parser.feed(piece);
    assert.equal(parser.next(), DATA);
    assert.equal(parser.data.buffer, piece.buffer);
    assert.equal(parser.data.byteOffset, piece.byteOffset + 3);
    assert.equal(parser.next(), END);
  });
});
