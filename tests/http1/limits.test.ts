import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS, resolveLimits } from '../../src/http1/index.ts';
import { expectRequest, expectResponse } from './wire-events.ts';

/** Exactly at a limit passes, one byte or field over it is refused; `expectRequest` tries every split. */
describe('requests at the edge of a limit', () => {
  test('maxLineSize counts the request line without its CRLF', () => {
    const text = (line: string): string => `${line}\r\nHost: a\r\n\r\n`;
    const line = 'GET /12345 HTTP/1.1';
    expectRequest(text(line), ['GET /12345 1.1', 'end'], { maxLineSize: line.length });
    expectRequest(text(line), ['error AIO_START_LINE_TOO_LONG 414'], { maxLineSize: line.length - 1 });
    // The version crosses the limit, the target crosses it, something worse comes behind it.
    for (const maxLineSize of [line.length - 3, line.length - 9, line.length - 12, 3]) {
      expectRequest(text(line), ['error AIO_START_LINE_TOO_LONG 414'], { maxLineSize });
    }
    expectRequest(text('GET /123456789\0 HTTP/1.1'), ['error AIO_START_LINE_TOO_LONG 414'], {
      maxLineSize: 10,
    });
    expectRequest(text('GET /123\0 HTTP/1.1'), ['error AIO_BAD_TARGET 400'], { maxLineSize: 10 });
  });

  test('maxLineSize does not count the empty lines in front', () => {
    const line = 'GET /12345 HTTP/1.1';
    expectRequest(`\r\n\r\n${line}\r\nHost: a\r\n\r\n`, ['GET /12345 1.1', 'end'], {
      maxLineSize: line.length,
    });
  });

  test('maxFieldSize counts a field line without its CRLF', () => {
    const text = (field: string): string => `GET / HTTP/1.0\r\n${field}\r\nY: z\r\n\r\n`;
    for (const field of ['X: 12345', 'X:     1', 'X: 1    ', 'X12345678:']) {
      expectRequest(text(field), ['GET / 1.0 close', 'end'], { maxFieldSize: field.length });
      expectRequest(text(field), ['error AIO_FIELD_TOO_LONG 431'], { maxFieldSize: field.length - 1 });
    }
    expectRequest(text('X: 123456789\0'), ['error AIO_FIELD_TOO_LONG 431'], { maxFieldSize: 8 });
    expectRequest(text('X: 1\0'), ['error AIO_BAD_FIELD_VALUE 400'], { maxFieldSize: 8 });
  });

  test('maxHeaders counts field lines', () => {
    const text = `GET / HTTP/1.0\r\n${'X:\r\n'.repeat(7)}\r\n`;
    expectRequest(text, ['GET / 1.0 close', 'end'], { maxHeaders: 7 });
    expectRequest(text, ['error AIO_TOO_MANY_FIELDS 431'], { maxHeaders: 6 });
  });

  test('maxHeadSize counts the whole head with its line ends', () => {
    const text = 'GET / HTTP/1.0\r\nX: 12\r\nY: 34\r\n\r\n';
    expectRequest(text, ['GET / 1.0 close', 'end'], { maxHeadSize: text.length });
    expectRequest(`${text}${text}`, ['GET / 1.0 close', 'end', 'GET / 1.0 close', 'end'], {
      maxHeadSize: text.length,
    });
    expectRequest(`\r\n${text}`, ['GET / 1.0 close', 'end'], { maxHeadSize: text.length });
    for (let maxHeadSize = 1; maxHeadSize < text.length; maxHeadSize++) {
      expectRequest(text, ['error AIO_HEAD_TOO_LONG 431'], { maxHeadSize });
    }
    // What is wrong behind the limit is never seen.
    expectRequest('GET / HTTP/1.0\r\nX: 12\r\nY: \0\r\n\r\n', ['error AIO_HEAD_TOO_LONG 431'], {
      maxHeadSize: 23,
    });
  });

  test('a body may be larger than every limit', () => {
    expectRequest(
      `POST / HTTP/1.0\r\nContent-Length: 99\r\n\r\n${'x'.repeat(99)}`,
      ['POST / 1.0 close length=99', `data ${'x'.repeat(99)}`, 'end'],
      { maxHeadSize: 50, maxLineSize: 50, maxFieldSize: 50 },
    );
  });

  const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

  test('maxTrailerSize counts a trailer section with its line ends', () => {
    const trailers = 'X: 12\r\nY: 34\r\n\r\n';
    const head = 'POST / 1.1 chunked';
    expectRequest(`${chunked}0\r\n${trailers}`, [head, 'end X: 12, Y: 34'], {
      maxTrailerSize: trailers.length,
    });
    for (let maxTrailerSize = 1; maxTrailerSize < trailers.length; maxTrailerSize++) {
      expectRequest(`${chunked}0\r\n${trailers}`, [head, 'error AIO_TRAILERS_TOO_LONG 431'], {
        maxTrailerSize,
      });
    }
  });

  test('maxHeaders and maxFieldSize hold in the trailer section too', () => {
    const head = 'POST / 1.1 chunked';
    const text = `${chunked}0\r\n${'X-Long: 890123456789012345678\r\n'.repeat(4)}\r\n`;
    const trailers = Array.from({ length: 4 }, () => ' X-Long: 890123456789012345678').join(',');
    expectRequest(text, [head, `end${trailers}`], { maxHeaders: 4, maxFieldSize: 29 });
    expectRequest(text, [head, 'error AIO_TOO_MANY_FIELDS 431'], { maxHeaders: 3 });
    expectRequest(text, [head, 'error AIO_FIELD_TOO_LONG 431'], { maxFieldSize: 28 });
  });

  test('maxChunkExtensionSize counts what stands between sizes and line ends, in all chunks of a message', () => {
    const message = `${chunked}1;a=b\r\nx\r\n1 ;c\r\ny\r\n0;d="e"\r\n\r\n`;
    const size = ';a=b ;c;d="e"'.length;
    const events = ['POST / 1.1 chunked', 'data xy', 'end'];
    expectRequest(message + message, [...events, ...events], { maxChunkExtensionSize: size });
    expectRequest(message, ['POST / 1.1 chunked', 'data xy', 'error AIO_CHUNK_EXTENSIONS_TOO_LONG 400'], {
      maxChunkExtensionSize: size - 1,
    });
  });
});

test('the defaults are those that are documented', () => {
  const line = (size: number): string => `GET /${'x'.repeat(size - 14)} HTTP/1.0\r\n\r\n`;
  expectRequest(line(8190), [`GET /${'x'.repeat(8176)} 1.0 close`, 'end']);
  expectRequest(line(8191), ['error AIO_START_LINE_TOO_LONG 414']);

  const field = (size: number): string => `GET / HTTP/1.0\r\nX: ${'x'.repeat(size - 3)}\r\n\r\n`;
  expectRequest(field(8190), ['GET / 1.0 close', 'end']);
  expectRequest(field(8191), ['error AIO_FIELD_TOO_LONG 431']);

  const fields = (count: number): string => `GET / HTTP/1.0\r\n${'X: y\r\n'.repeat(count)}\r\n`;
  expectRequest(fields(128), ['GET / 1.0 close', 'end']);
  expectRequest(fields(129), ['error AIO_TOO_MANY_FIELDS 431']);

  const head = (size: number): string => {
    const rest = size - 'GET / HTTP/1.0\r\n\r\n'.length - 8 * 8002;
    return `GET / HTTP/1.0\r\n${`X:${'x'.repeat(7998)}\r\n`.repeat(8)}X:${'x'.repeat(rest - 4)}\r\n\r\n`;
  };
  assert.equal(head(65_536).length, 65_536);
  expectRequest(head(65_536), ['GET / 1.0 close', 'end']);
  expectRequest(head(65_537), ['error AIO_HEAD_TOO_LONG 431']);
});

test('the same limits hold for responses', () => {
  const text = 'HTTP/1.1 200 OK\r\nX: 12\r\nContent-Length: 0\r\n\r\n';
  const events = ['200 1.1 OK length=0', 'end'];
  const exact = { maxLineSize: 15, maxFieldSize: 17, maxHeaders: 2, maxHeadSize: text.length };
  expectResponse(text, events, 'GET', exact);
  expectResponse(text, ['error AIO_START_LINE_TOO_LONG 414'], 'GET', { maxLineSize: 14 });
  expectResponse(text, ['error AIO_FIELD_TOO_LONG 431'], 'GET', { maxFieldSize: 16 });
  expectResponse(text, ['error AIO_TOO_MANY_FIELDS 431'], 'GET', { maxHeaders: 1 });
  expectResponse(text, ['error AIO_HEAD_TOO_LONG 431'], 'GET', { maxHeadSize: text.length - 1 });
  // A folded line counts as one.
  const folded = 'HTTP/1.1 204 No\r\nX: 1\r\n  2\r\n\r\n';
  expectResponse(folded, ['204 1.1 No', 'end'], 'GET', { maxFieldSize: 'X: 1\r\n  2'.length, maxHeaders: 1 });
  expectResponse(folded, ['error AIO_FIELD_TOO_LONG 431'], 'GET', { maxFieldSize: 8 });
});

test('resolveLimits puts options over the defaults and refuses what is no count', () => {
  assert.deepEqual(resolveLimits({}), DEFAULT_LIMITS);
  assert.deepEqual(resolveLimits({ maxHeaders: 3 }), { ...DEFAULT_LIMITS, maxHeaders: 3 });
  for (const value of [0, -1, 1.5, Number.NaN, Infinity, '5' as unknown as number]) {
    assert.throws(() => resolveLimits({ maxLineSize: value }), {
      name: 'RangeError',
      message: `maxLineSize must be a positive integer of bytes or fields, got ${String(value)}`,
    });
  }
});
