import { describe, test } from 'node:test';
import { expectRequest } from './wire-events.ts';

/** A POST with these lines and a body of five bytes behind them, then another request. */
function post(lines: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\nhello`;
}

describe('Content-Length (RFC 9112 §6.3)', () => {
  for (const value of ['5', '05', '0000000000000000000000005', ' \t5 \t']) {
    test(`${JSON.stringify(value)} is five bytes`, () =>
      expectRequest(post(`Content-Length:${value}`), ['POST / 1.1 length=5', 'data hello', 'end']));
  }

  test('0 is no body', () => {
    expectRequest('POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\nGET / HTTP/1.0\r\n\r\n', [
      'POST / 1.1 length=0',
      'end',
      'GET / 1.0 close',
      'end',
    ]);
  });

  test('none is no body', () =>
    expectRequest(post('X: y'), ['POST / 1.1', 'end', 'error AIO_INCOMPLETE_MESSAGE 400']));

  test('GET, HEAD and DELETE may have one', () => {
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      expectRequest(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx`, [
        `${method} / 1.1 length=1`,
        'data x',
        'end',
      ]);
    }
  });

  test('9007199254740991 is the largest', () => {
    expectRequest(post('Content-Length: 9007199254740991'), [
      'POST / 1.1 length=9007199254740991',
      'data hello',
      'error AIO_INCOMPLETE_MESSAGE 400',
    ]);
  });

  const refused = [
    '',
    '-1',
    '+5',
    '-0',
    '0x5',
    '5.0',
    '5e0',
    '5 5',
    '5,5',
    '5, 5',
    '5;',
    '1_0',
    ' ',
    '\x0b5',
    '\xa05',
    '\xb25',
    '5\xa0',
    'five',
    '"5"',
    '9007199254740992',
    '18446744073709551621',
    '1'.repeat(400),
  ];
  for (const value of refused) {
    test(`${JSON.stringify(value)} is refused`, () => {
      const isControl = value.includes('\x0b');
      expectRequest(post(`Content-Length: ${value}`), [
        isControl ? 'error AIO_BAD_FIELD_VALUE 400' : 'error AIO_BAD_CONTENT_LENGTH 400',
      ]);
    });
  }

  test('several are refused, also when they agree', () => {
    const error = ['error AIO_REPEATED_CONTENT_LENGTH 400'];
    expectRequest(post('Content-Length: 5\r\nContent-Length: 5'), error);
    expectRequest(post('Content-Length: 5\r\nX: y\r\ncontent-length: 6'), error);
    expectRequest(post('Content-Length: 0\r\nContent-Length: 0'), error);
  });
});

describe('Transfer-Encoding (RFC 9112 §6.1)', () => {
  const chunked = (lines: string): string =>
    `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;

  for (const line of [
    'Transfer-Encoding: chunked',
    'transfer-encoding:CHUNKED',
    'Transfer-Encoding: \tchunked ',
  ]) {
    test(JSON.stringify(line), () =>
      expectRequest(chunked(line), ['POST / 1.1 chunked', 'data hello', 'end']),
    );
  }

  const refused: readonly (readonly [value: string, error: string])[] = [
    ['', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['identity', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['gzip', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['chunked, gzip', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['chunked, chunked', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['chunked,', 'AIO_BAD_TRANSFER_ENCODING 400'],
    [',chunked', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['gzip,,chunked', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['xchunked', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['chunkedx', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['"chunked"', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['chunked;q=1', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['\xa0chunked', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['chunked\xa0', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['chun\xe4ed', 'AIO_BAD_TRANSFER_ENCODING 400'],
    ['g zip, chunked', 'AIO_BAD_TRANSFER_ENCODING 400'],
    [`${'x'.repeat(400)}, chunked`, 'AIO_BAD_TRANSFER_ENCODING 400'],
    // Well-formed, but not known here (RFC 9112 §6.1: 501).
    ['gzip, chunked', 'AIO_UNKNOWN_TRANSFER_ENCODING 501'],
    ['GZIP ,\tdeflate,Chunked', 'AIO_UNKNOWN_TRANSFER_ENCODING 501'],
    ['identity, chunked', 'AIO_UNKNOWN_TRANSFER_ENCODING 501'],
  ];
  for (const [value, error] of refused) {
    test(`${JSON.stringify(value.slice(0, 40))} is refused`, () =>
      expectRequest(chunked(`Transfer-Encoding: ${value}`), [`error ${error}`]));
  }

  test('repeated, also when it agrees', () => {
    expectRequest(chunked('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'), [
      'error AIO_REPEATED_TRANSFER_ENCODING 400',
    ]);
  });

  test('together with Content-Length, in either order', () => {
    const error = ['error AIO_LENGTH_AND_ENCODING 400'];
    expectRequest(chunked('Transfer-Encoding: chunked\r\nContent-Length: 5'), error);
    expectRequest(chunked('Content-Length: 5\r\nTransfer-Encoding: chunked'), error);
    expectRequest(chunked('Content-Length: 0\r\nTransfer-Encoding: chunked'), error);
  });

  test('on HTTP/1.0', () => {
    expectRequest('POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', [
      'error AIO_ENCODING_ON_HTTP10 400',
    ]);
  });
});

describe('Host (RFC 9112 §3.2)', () => {
  const taken = [
    'a',
    'A.example',
    'a:80',
    'a:',
    'a:65535',
    '127.0.0.1:8080',
    '[::1]',
    '[2001:db8::7]:443',
    '[::ffff:1.2.3.4]',
    '[v1.fe80::a+en1]',
    'xn--hxajbheg2az3al.gr',
    'a_b',
    "a~!$&'()*+,;=b",
    '%7Euser',
    'a.',
  ];
  for (const host of taken) {
    test(`${host} is taken`, () =>
      expectRequest(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, ['GET / 1.1', 'end']));
  }

  const refused = [
    '',
    ':80',
    'a b',
    'a, b',
    'a\tb',
    'user@a',
    'a/b',
    'a?b',
    'a#b',
    'http://a',
    'a:x',
    'a:8080x',
    'a:-1',
    'a:65536',
    'a:80:80',
    '[::1',
    '::1',
    '[::1]x',
    '[::1]:x',
    '[]',
    '[:]',
    '[::1%25eth0]',
    '[::g]',
    '[a]',
    '[[::1]]',
    'a%',
    'a%4',
    'a%zz',
    '\xe4',
    'a\\b',
    '<a>',
    '"a"',
  ];
  for (const host of refused) {
    test(`${JSON.stringify(host)} is refused`, () =>
      expectRequest(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, ['error AIO_BAD_HOST 400']));
  }

  test('must be there in 1.1, and may be missing in 1.0', () => {
    expectRequest('GET / HTTP/1.1\r\nHosts: a\r\n\r\n', ['error AIO_MISSING_HOST 400']);
    expectRequest('GET http://a/ HTTP/1.1\r\n\r\n', ['error AIO_MISSING_HOST 400']);
    expectRequest('GET / HTTP/1.0\r\n\r\n', ['GET / 1.0 close', 'end']);
  });

  test('must not be repeated, in any version', () => {
    const error = ['error AIO_REPEATED_HOST 400'];
    expectRequest('GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n', error);
    expectRequest('GET / HTTP/1.0\r\nHost: a\r\nX: y\r\nHOST: b\r\n\r\n', error);
  });
});

describe('Connection, Upgrade and Expect', () => {
  const cases: readonly (readonly [lines: string, head: string, version?: string])[] = [
    // RFC 9112 §9.3.
    ['Connection: close', 'GET / 1.1 close'],
    ['Connection: CLOSE', 'GET / 1.1 close'],
    ['Connection: x, close', 'GET / 1.1 close'],
    ['Connection: ,\t close\t,', 'GET / 1.1 close'],
    ['Connection: close, keep-alive', 'GET / 1.1 close'],
    ['Connection: keep-alive\r\nConnection: close', 'GET / 1.1 close'],
    ['Connection: close\r\nConnection: keep-alive', 'GET / 1.1 close'],
    ['Connection: keep-alive', 'GET / 1.1'],
    ['Connection:', 'GET / 1.1'],
    ['Connection: closed', 'GET / 1.1'],
    ['Connection: x-close', 'GET / 1.1'],
    ['Connection: clo\tse', 'GET / 1.1'],
    ['Keep-Alive: timeout=5', 'GET / 1.1'],
    ['Proxy-Connection: close', 'GET / 1.1'],
    ['Connection: keep-alive', 'GET / 1.0', '1.0'],
    ['Connection: Keep-Alive, x', 'GET / 1.0', '1.0'],
    ['Connection: keep-alive, close', 'GET / 1.0 close', '1.0'],
    ['Connection: keep-alived', 'GET / 1.0 close', '1.0'],
    // RFC 9110 §7.8: both fields, and the option as a whole word.
    ['Connection: upgrade\r\nUpgrade: websocket', 'GET / 1.1 upgrade'],
    ['Upgrade: websocket\r\nConnection: keep-alive, Upgrade', 'GET / 1.1 upgrade'],
    ['Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade:', 'GET / 1.1 upgrade'],
    ['Upgrade: websocket', 'GET / 1.1'],
    ['Connection: upgrade', 'GET / 1.1'],
    ['Connection: upgrade\r\nUpgrade:', 'GET / 1.1'],
    ['Connection: notupgrade\r\nUpgrade: websocket', 'GET / 1.1'],
    ['Connection: upgrade-not\r\nUpgrade: websocket', 'GET / 1.1'],
    // RFC 9110 §10.1.1.
    ['Expect: 100-continue', 'GET / 1.1 expect continue'],
    ['Expect: 100-Continue', 'GET / 1.1 expect continue'],
    ['Expect: 100-continue', 'GET / 1.0 close expect continue', '1.0'],
    ['Expect: 200-ok', 'GET / 1.1 expect'],
    ['Expect: 100-continue, x', 'GET / 1.1 expect'],
    ['Expect:', 'GET / 1.1 expect'],
  ];
  for (const [lines, head, version = '1.1'] of cases) {
    test(`${JSON.stringify(lines)} in ${version}`, () =>
      expectRequest(`GET / HTTP/${version}\r\nHost: a\r\n${lines}\r\n\r\n`, [head, 'end']));
  }

  test('a request that offers an upgrade still has its body, and what follows is another request', () => {
    expectRequest(
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\nHost: a\r\n\r\n',
      ['POST / 1.1 length=2 upgrade', 'data hi', 'end', 'GET / 1.1', 'end'],
    );
  });
});
