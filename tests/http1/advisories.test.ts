import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ERROR,
  fieldLine,
  ProtocolError,
  RequestParser,
  ResponseParser,
  statusLine,
} from '../../src/http1/index.ts';
import { bytesOf, type Events, expectRequest, expectResponse } from './wire-events.ts';

/**
 * What was found in aiohttp and in the parsers under it over the years, and concerns the wire: each with the number of its advisory.
 * Those that concern the connection are in `tests/net/advisories.test.ts`.
 */
const BAD_REQUEST: readonly (readonly [
  advisory: string,
  what: string,
  requests: readonly string[],
  code: string,
])[] = [
  [
    'CVE-2022-33124',
    'a malformed IPv6 authority',
    [
      'GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n',
      'CONNECT [::1:80 HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    'AIO_BAD_TARGET',
  ],
  [
    'CVE-2022-33124',
    'a malformed IPv6 address in Host',
    ['GET / HTTP/1.1\r\nHost: [::1\r\n\r\n'],
    'AIO_BAD_HOST',
  ],
  [
    'CVE-2023-37276',
    'CR in a field value',
    ['GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n'],
    'AIO_BARE_CR',
  ],
  [
    'CVE-2023-37276',
    'LF in a field value',
    ['GET / HTTP/1.1\r\nHost: a\r\nX: y\nZ: z\r\n\r\n'],
    'AIO_BARE_LF',
  ],
  [
    'CVE-2023-37276',
    'NUL in a field value',
    ['GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n'],
    'AIO_BAD_FIELD_VALUE',
  ],
  [
    'GHSA-pjjw-qhg8-p2p9',
    'lenient separators behind a field name',
    [
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 3\r\n\r\n',
    ],
    'AIO_SPACE_BEFORE_COLON',
  ],
  [
    'CVE-2023-47627',
    'a Content-Length that only Python takes for a number',
    ['+3', '-1', '1_0', '0_3', '3.', '\xb3', ' 3 3'].map(
      (value) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${value}\r\n\r\nabc`,
    ),
    'AIO_BAD_CONTENT_LENGTH',
  ],
  [
    'CVE-2023-47627',
    'a control character in front of a length',
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \x0b3\r\n\r\nabc'],
    'AIO_BAD_FIELD_VALUE',
  ],
  [
    'CVE-2023-47627',
    'a field name that is no token',
    ['Content-Length\x1f', 'Foo\\Bar', '"Foo"', 'Foo@', 'Foo[', 'F\xc3\xb6o'].map(
      (name) => `GET / HTTP/1.1\r\nHost: a\r\n${name}: 3\r\n\r\n`,
    ),
    'AIO_BAD_FIELD_NAME',
  ],
  [
    'CVE-2023-47627',
    'a bad version',
    ['HTTP/1.1.1', 'HTTP/1.01', 'HTTP/ 1.1', 'HTTP/1.\xb2', 'HTTP/+1.1', 'HTTP/1_1'].map(
      (version) => `GET / ${version}\r\nHost: a\r\n\r\n`,
    ),
    'AIO_BAD_VERSION',
  ],
  [
    'CVE-2023-47641',
    'Content-Length together with Transfer-Encoding',
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    'AIO_LENGTH_AND_ENCODING',
  ],
  [
    'CVE-2024-23829',
    'white space and digits that are not ASCII',
    ['GET / HTTP/\xd9\xa1.\xd9\xa1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.\xb9\r\nHost: a\r\n\r\n'],
    'AIO_BAD_VERSION',
  ],
  [
    'CVE-2024-23829',
    'a space that is not ASCII in a name',
    ['GET / HTTP/1.1\r\nHost\xa0: a\r\n\r\n'],
    'AIO_BAD_FIELD_NAME',
  ],
  [
    'CVE-2024-23829',
    'a space that is not ASCII at a length',
    [
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xa03\r\n\r\nabc',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\x85\r\n\r\nabc',
    ],
    'AIO_BAD_CONTENT_LENGTH',
  ],
  [
    'CVE-2025-69224',
    'digits of another script',
    [
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xd9\xa3\r\n\r\nabc',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xef\xbc\x93\r\n\r\nabc',
    ],
    'AIO_BAD_CONTENT_LENGTH',
  ],
  ['CVE-2026-34525', 'Host twice', ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'], 'AIO_REPEATED_HOST'],
  [
    'aiohttp #10611',
    'chunked twice in one field',
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n'],
    'AIO_BAD_TRANSFER_ENCODING',
  ],
  [
    'aiohttp #12137',
    'chunked in two fields',
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n'],
    'AIO_REPEATED_TRANSFER_ENCODING',
  ],
  [
    'aiohttp #13136',
    'LF alone',
    ['GET / HTTP/1.1\nHost: a\n\n', 'GET / HTTP/1.1\r\nHost: a\n\r\n'],
    'AIO_BARE_LF',
  ],
  [
    'aiohttp weakness 7',
    'two spaces in the request line',
    ['GET  /q HTTP/1.1\r\nHost: a\r\n\r\n'],
    'AIO_BAD_REQUEST_LINE',
  ],
  [
    'aiohttp weakness 7',
    'a Host with a space, and an empty one',
    ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    'AIO_BAD_HOST',
  ],
];

describe('requests that are refused with 400', () => {
  for (const [advisory, what, requests, code] of BAD_REQUEST) {
    test(`${advisory}: ${what}`, () => {
      for (const request of requests) expectRequest(request, [`error ${code} 400`]);
    });
  }

  test('aiohttp weakness 7: HTTP/0.9 and HTTP/2.0 request lines are refused with 505', () => {
    for (const version of ['HTTP/0.9', 'HTTP/2.0']) {
      expectRequest(`GET / ${version}\r\nHost: a\r\n\r\n`, ['error AIO_UNSUPPORTED_VERSION 505']);
    }
  });

  test('aiohttp weakness 8: Transfer-Encoding: gzip, chunked is refused with 501', () => {
    expectRequest('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', [
      'error AIO_UNKNOWN_TRANSFER_ENCODING 501',
    ]);
  });

  test('aiohttp weakness 12: what is told of an error never repeats what was sent', () => {
    for (const [, , requests] of BAD_REQUEST) {
      for (const request of requests) {
        const parser = new RequestParser();
        parser.feed(bytesOf(request.replaceAll('X: y', 'X: <script>')));
        while (parser.next() !== ERROR);
        assert.ok(parser.error instanceof ProtocolError);
        assert.doesNotMatch(parser.error.message, /script/);
      }
    }
  });
});

const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('chunked bodies', () => {
  const cases: readonly (readonly [name: string, body: string, events: Events])[] = [
    [
      'CVE-2024-52304: LF inside a chunk extension',
      '5;a\nb\r\nhello\r\n0\r\n\r\n',
      ['error AIO_BARE_LF 400'],
    ],
    [
      'CVE-2025-53643: the trailer section is read as one, not as the next request',
      '0\r\nX: y\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
      ['end X: y', 'GET /2 1.1', 'end'],
    ],
    [
      'CVE-2025-53643: a request line in the trailer section is no field',
      '0\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
      ['error AIO_SPACE_BEFORE_COLON 400'],
    ],
    [
      'CVE-2026-22815: too many trailers',
      `0\r\n${'X: y\r\n'.repeat(129)}\r\n`,
      ['error AIO_TOO_MANY_FIELDS 431'],
    ],
    [
      'CVE-2026-22815: trailers that are too long',
      `0\r\n${`X: ${'y'.repeat(5000)}\r\n`.repeat(4)}\r\n`,
      ['error AIO_TRAILERS_TOO_LONG 431'],
    ],
  ];
  for (const [name, body, events] of cases)
    test(name, () => expectRequest(CHUNKED + body, ['POST / 1.1 chunked', ...events]));
});

describe('long inputs (the work for them is counted in linear-work.test.ts, the memory in parser.test.ts)', () => {
  test('CVE-2025-69229: a million chunks of one byte', () => {
    expectRequest(`${CHUNKED}${'1\r\nx\r\n'.repeat(20_000)}0\r\n\r\n`, [
      'POST / 1.1 chunked',
      `data ${'x'.repeat(20_000)}`,
      'end',
    ]);
  });

  test('CVE-2026-54277: a long field line that comes byte by byte meets its limit', () => {
    expectRequest(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`, [
      'error AIO_FIELD_TOO_LONG 431',
    ]);
  });
});

describe('upgrades', () => {
  const body = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

  test('CVE-2026-59881, CVE-2026-69243: a body behind an upgrade that may be declined is a body, not a request', () => {
    expectRequest(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      [`POST / 1.1 length=${body.length} upgrade`, `data ${body}`, 'end'],
    );
  });

  test('aiohttp #12723: a word that only contains "upgrade" is no upgrade', () => {
    for (const option of ['notupgrade', 'upgraded', 'no-upgrade', 'up grade']) {
      expectRequest(`GET / HTTP/1.1\r\nHost: a\r\nConnection: ${option}\r\nUpgrade: websocket\r\n\r\n`, [
        'GET / 1.1',
        'end',
      ]);
    }
  });

  test('aiohttp #13501: bytes behind an upgrade are kept', () => {
    const parser = new RequestParser();
    parser.feed(bytesOf('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n\x81\x02hi'));
    parser.next();
    parser.next();
    assert.equal(parser.takeRest().toString('latin1'), '\x81\x02hi');
  });
});

describe('responses', () => {
  test('CVE-2026-34520: NUL and control characters in a field value are refused by the client too', () => {
    for (const value of ['a\0b', '\x01', 'a\x1b[0m', '\x7f']) {
      expectResponse(`HTTP/1.1 200 OK\r\nX: ${value}\r\n\r\n`, ['error AIO_BAD_FIELD_VALUE 400']);
    }
  });

  test('aiohttp #12302: fields that may only be once are lenient in responses only', () => {
    expectResponse(
      'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n',
      ['200 1.1 OK length=0', 'end'],
    );
    expectRequest('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n', [
      'error AIO_REPEATED_CONTENT_LENGTH 400',
    ]);
  });

  test('CVE-2026-69244: an error in the last byte of a piece reads nothing beyond it', () => {
    const text = 'HTTP/1.1 200 OK\r\nX: y\r\n';
    for (let at = 0; at <= text.length; at++) {
      // The piece ends in the middle of a larger buffer, as pieces from a pool do.
      const pool = bytesOf(`${text.slice(0, at)}\0HTTP/2.0 0\r\n\r\n`);
      const parser = new ResponseParser();
      parser.feed(pool.subarray(0, at + 1));
      const whole = new ResponseParser();
      whole.feed(Buffer.from(pool.subarray(0, at + 1)));
      assert.equal(parser.next(), whole.next());
      assert.equal(parser.error?.code, whole.error?.code);
    }
  });
});

describe('what is sent', () => {
  test('CVE-2026-34519: CR in a reason', () => {
    assert.throws(() => statusLine(200, 'OK\r\nX: y'), { code: 'AIO_BAD_HEAD' });
    assert.throws(() => statusLine(200, 'OK\r'), { code: 'AIO_BAD_HEAD' });
  });

  test('aiohttp #12689: every control character in a header', () => {
    for (let code = 0; code < 0x20; code++) {
      if (code === 0x09) continue;
      assert.throws(
        () => fieldLine('X', `a${String.fromCharCode(code)}`),
        { code: 'AIO_BAD_HEAD' },
        `${code}`,
      );
    }
    assert.throws(() => fieldLine('X', '\x7f'), { code: 'AIO_BAD_HEAD' });
  });
});
