import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ERROR, RequestParser } from '../../src/http1/index.ts';
import { bytesOf, expectRequest } from './wire-events.ts';

const HOST = 'Host: a\r\n\r\n';

describe('request lines that are taken', () => {
  const cases: readonly (readonly [line: string, head: string])[] = [
    ['GET / HTTP/1.1', 'GET / 1.1'],
    ['GET /a/b?c=d&e HTTP/1.1', 'GET /a/b?c=d&e 1.1'],
    ['GET /%2F%e4?q=%00 HTTP/1.1', 'GET /%2F%e4?q=%00 1.1'],
    ['GET //double//slash HTTP/1.1', 'GET //double//slash 1.1'],
    // What RFC 3986 wants encoded, but browsers send as it is.
    ['GET /?a="<>\\^`{|} HTTP/1.1', 'GET /?a="<>\\^`{|} 1.1'],
    ['GET / HTTP/1.0', 'GET / 1.0 close'],
    ['POST / HTTP/1.1', 'POST / 1.1'],
    ['PUT / HTTP/1.1', 'PUT / 1.1'],
    ['PATCH / HTTP/1.1', 'PATCH / 1.1'],
    ['HEAD / HTTP/1.1', 'HEAD / 1.1'],
    ['DELETE / HTTP/1.1', 'DELETE / 1.1'],
    ['GOT / HTTP/1.1', 'GOT / 1.1'],
    ['PATHS / HTTP/1.1', 'PATHS / 1.1'],
    ['PROPFIND / HTTP/1.1', 'PROPFIND / 1.1'],
    ['get / HTTP/1.1', 'get / 1.1'],
    ["!#$%&'*+-.^_`|~09Az / HTTP/1.1", "!#$%&'*+-.^_`|~09Az / 1.1"],
    [`${'M'.repeat(64)} / HTTP/1.1`, `${'M'.repeat(64)} / 1.1`],
    ['OPTIONS * HTTP/1.1', 'OPTIONS * 1.1'],
    ['OPTIONS /x HTTP/1.1', 'OPTIONS /x 1.1'],
    ['GET http://example.org HTTP/1.1', 'GET http://example.org 1.1'],
    ['GET http://example.org/a?b HTTP/1.1', 'GET http://example.org/a?b 1.1'],
    ['GET HTTPS://Example.org:8443?b HTTP/1.1', 'GET HTTPS://Example.org:8443?b 1.1'],
    ['GET http://[::1]:80/ HTTP/1.1', 'GET http://[::1]:80/ 1.1'],
    ['CONNECT example.org:443 HTTP/1.1', 'CONNECT example.org:443 1.1'],
    ['CONNECT [2001:db8::1]:443 HTTP/1.1', 'CONNECT [2001:db8::1]:443 1.1'],
  ];
  for (const [line, head] of cases) {
    test(line, () => expectRequest(`${line}\r\n${HOST}`, [head, 'end']));
  }

  test('up to two empty lines in front are passed over (RFC 9112 §2.2)', () => {
    expectRequest(`\r\nGET / HTTP/1.1\r\n${HOST}`, ['GET / 1.1', 'end']);
    expectRequest(`\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.1\r\n${HOST}`, [
      'GET / 1.1',
      'end',
      'GET /2 1.1',
      'end',
    ]);
    expectRequest(`\r\n\r\n\r\nGET / HTTP/1.1\r\n${HOST}`, ['error AIO_BAD_REQUEST_LINE 400']);
  });
});

describe('request lines that are refused', () => {
  const cases: readonly (readonly [line: string, error: string])[] = [
    // Bare CR and LF, RFC 9112 §2.2.
    ['\nGET / HTTP/1.1\r\n', 'AIO_BARE_LF 400'],
    ['\rGET / HTTP/1.1\r\n', 'AIO_BARE_CR 400'],
    ['GET / HTTP/1.1\n', 'AIO_BARE_LF 400'],
    ['GET / HTTP/1.1\rHost: a\r\n', 'AIO_BARE_CR 400'],
    ['GET / HTTP/1.1\r\r\n', 'AIO_BARE_CR 400'],
    // Methods.
    [' GET / HTTP/1.1\r\n', 'AIO_BAD_METHOD 400'],
    ['\tGET / HTTP/1.1\r\n', 'AIO_BAD_METHOD 400'],
    ['G(ET / HTTP/1.1\r\n', 'AIO_BAD_METHOD 400'],
    ['G\0T / HTTP/1.1\r\n', 'AIO_BAD_METHOD 400'],
    ['G\xc9T / HTTP/1.1\r\n', 'AIO_BAD_METHOD 400'],
    ['GET\t/ HTTP/1.1\r\n', 'AIO_BAD_METHOD 400'],
    ['"GET" / HTTP/1.1\r\n', 'AIO_BAD_METHOD 400'],
    [`${'M'.repeat(65)} / HTTP/1.1\r\n`, 'AIO_BAD_METHOD 400'],
    ['\x80\x80\x01\x03\x01', 'AIO_BAD_METHOD 400'],
    // One space between the parts, RFC 9112 §3.
    ['GET\r\n', 'AIO_BAD_REQUEST_LINE 400'],
    ['GET \r\n', 'AIO_BAD_REQUEST_LINE 400'],
    ['GET  / HTTP/1.1\r\n', 'AIO_BAD_REQUEST_LINE 400'],
    ['GET /  HTTP/1.1\r\n', 'AIO_BAD_REQUEST_LINE 400'],
    ['GET / HTTP/1.1 \r\n', 'AIO_BAD_VERSION 400'],
    // HTTP/0.9.
    ['GET /\r\n', 'AIO_MISSING_VERSION 400'],
    ['GET /\n', 'AIO_MISSING_VERSION 400'],
    ['GET / \r\n', 'AIO_MISSING_VERSION 400'],
    // Targets: no fragment, no white space, ASCII only.
    ['GET /#part HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET # HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET /a\tb HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET /a\0 HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET /a\x7f HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET /\xc3\xa4 HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET /a b HTTP/1.1\r\n', 'AIO_BAD_VERSION 400'],
    ['GET path HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET ?q HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET * HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['OPTIONS *x HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET example.org:80 HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET ftp://example.org/ HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET http:/example.org/ HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET http:// HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET http:///path HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET http://user:pass@example.org/ HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET http://example.org:x/ HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['GET http://[::1/ HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['CONNECT / HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['CONNECT example.org HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['CONNECT example.org: HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['CONNECT :443 HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['CONNECT [::1] HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['CONNECT example.org:65536 HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['CONNECT user@example.org:443 HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    ['CONNECT http://example.org:443 HTTP/1.1\r\n', 'AIO_BAD_TARGET 400'],
    // Versions: well-formed others are 505 (RFC 9110 §15.6.6), the rest 400.
    ['GET / HTTP/0.9\r\n', 'AIO_UNSUPPORTED_VERSION 505'],
    ['GET / HTTP/1.2\r\n', 'AIO_UNSUPPORTED_VERSION 505'],
    ['GET / HTTP/2.0\r\n', 'AIO_UNSUPPORTED_VERSION 505'],
    ['GET / HTTP/9.9\r\n', 'AIO_UNSUPPORTED_VERSION 505'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'AIO_UNSUPPORTED_VERSION 505'],
    ['GET / HTTP/2\r\n', 'AIO_UNSUPPORTED_VERSION 505'],
    ['GET / HTTP/3\r\n', 'AIO_UNSUPPORTED_VERSION 505'],
    ['GET / HTTP/1\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTTP/1.\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTTP/\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTTP\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTTP/1.10\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTTP/11.1\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTTP/1,1\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTTP/a.b\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTTP/+1.1\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTTP/1.\xb9\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / http/1.1\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / HTPP/1.1\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / XTTP/1.1\r\n', 'AIO_BAD_VERSION 400'],
    ['GET / H\r\n', 'AIO_BAD_VERSION 400'],
    // A version is looked for in its line only, not in what follows.
    ['GET / HTT\r\n2.0', 'AIO_BAD_VERSION 400'],
    ['GET / HXXX/2.0\r\n', 'AIO_BAD_VERSION 400'],
    // A TLS handshake.
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'AIO_TLS_ON_PLAIN_PORT 400'],
  ];
  for (const [line, error] of cases) {
    test(JSON.stringify(line), () => expectRequest(`${line}${HOST}`, [`error ${error}`]));
  }

  test('a line that cannot become one is refused before it ends', () => {
    for (const start of ['GET  ', '\n', ' ', 'GET / X', 'GET /a b', 'GET / HTTP/2.0', 'GET \xe4']) {
      const parser = new RequestParser();
      parser.feed(bytesOf(start));
      assert.equal(parser.next(), ERROR, JSON.stringify(start));
    }
  });
});
