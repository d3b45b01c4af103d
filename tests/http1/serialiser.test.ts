import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONNECTION_CLOSE,
  CONNECTION_DEFAULT,
  CONNECTION_KEEP_ALIVE,
  chunkHead,
  contentTypeLine,
  FRAME_CHUNKED,
  FRAME_LENGTH,
  FRAME_NONE,
  FRAME_UNTIL_CLOSE,
  fieldLine,
  headEnd,
  lastChunk,
  SenderFields,
  statusLine,
} from '../../src/http1/index.ts';

/** What would end a line and begin another, end the head, or be no byte at all. */
const SPLITTERS = [
  '\r\nSet-Cookie: a=b',
  '\nX: y',
  '\rX: y',
  '\r\n\r\n<html>',
  '\0',
  '\x0b',
  '\x1b[2J',
  '\x7f',
  '\u010a',
  '\u2028',
  '😀',
];

const BAD_HEAD = { name: 'HeadError', code: 'AIO_BAD_HEAD' };

describe('statusLine', () => {
  test('with the standard reason, one of its own, and none', () => {
    assert.equal(statusLine(200, undefined), 'HTTP/1.1 200 OK\r\n');
    assert.equal(statusLine(404, 'Nothing here'), 'HTTP/1.1 404 Nothing here\r\n');
    assert.equal(statusLine(404, undefined), 'HTTP/1.1 404 Not Found\r\n');
    assert.equal(statusLine(599, undefined), 'HTTP/1.1 599 \r\n');
    assert.equal(statusLine(200, ''), 'HTTP/1.1 200 \r\n');
    assert.equal(statusLine(200, 'Gr\xfc\xdfe\t!'), 'HTTP/1.1 200 Gr\xfc\xdfe\t!\r\n');
  });

  for (const status of [99, 1000, 0, -200, 200.5, Number.NaN, Infinity, '2OO' as unknown as number]) {
    test(`refuses the status ${JSON.stringify(status)}`, () => {
      assert.throws(() => statusLine(status, undefined), BAD_HEAD);
      assert.throws(() => statusLine(status, 'OK'), BAD_HEAD);
    });
  }

  for (const splitter of SPLITTERS) {
    test(`refuses the reason ${JSON.stringify(`OK${splitter}`)}`, () => {
      assert.throws(() => statusLine(200, `OK${splitter}`), BAD_HEAD);
    });
  }
});

describe('fieldLine', () => {
  test('writes latin1 as it is', () => {
    assert.equal(fieldLine('X-Name', 'a, "b"\t\xe4\xff'), 'X-Name: a, "b"\t\xe4\xff\r\n');
    assert.equal(fieldLine('x', ''), 'x: \r\n');
  });

  for (const splitter of SPLITTERS) {
    test(`refuses ${JSON.stringify(splitter)} in a value and in a name, however often it is asked`, () => {
      for (let attempt = 0; attempt < 2; attempt++) {
        assert.throws(() => fieldLine('X', `a${splitter}`), BAD_HEAD);
        assert.throws(() => fieldLine('X', `${splitter}a`), BAD_HEAD);
        assert.throws(() => fieldLine(`X${splitter}`, 'a'), BAD_HEAD);
      }
    });
  }

  for (const name of ['', ' ', 'X ', ' X', 'X:', 'X Y', 'X(y)', '"X"', 'X\xe4', 'X,Y']) {
    test(`refuses the name ${JSON.stringify(name)}`, () =>
      assert.throws(() => fieldLine(name, 'a'), BAD_HEAD));
  }

  test('refuses what is no string', () => {
    for (const value of [1, null, undefined, {}, ['a']]) {
      assert.throws(() => fieldLine('X', value as unknown as string), BAD_HEAD);
    }
  });

  test('the error says which header it was, and what is allowed', () => {
    assert.throws(() => fieldLine('X-Name', 'a\nb'), {
      message: 'Value of header X-Name must be latin1 text without control characters, found "\\n" at 1',
    });
    assert.throws(() => fieldLine('a b', 'c'), { message: 'Header name must be a token, got "a b"' });
  });

  test('many different names do not fill the memory', () => {
    for (let index = 0; index < 5000; index++) fieldLine(`X-${index}`, 'a');
    assert.throws(() => fieldLine('X-1\n', 'a'), BAD_HEAD);
    assert.equal(fieldLine('X-1', 'a'), 'X-1: a\r\n');
  });
});

describe('contentTypeLine', () => {
  test('the same line every time', () => {
    for (let round = 0; round < 3; round++) {
      assert.equal(
        contentTypeLine('text/plain; charset=utf-8'),
        'Content-Type: text/plain; charset=utf-8\r\n',
      );
    }
  });

  test('after many others too', () => {
    for (let index = 0; index < 2000; index++) contentTypeLine(`text/x-${index}`);
    assert.equal(contentTypeLine('text/plain'), 'Content-Type: text/plain\r\n');
  });

  for (const splitter of SPLITTERS) {
    test(`refuses ${JSON.stringify(splitter)}`, () => {
      assert.throws(() => contentTypeLine(`text/plain${splitter}`), BAD_HEAD);
      assert.throws(() => contentTypeLine(`text/plain${splitter}`), BAD_HEAD);
    });
  }
});

describe('SenderFields', () => {
  test('writes fields in their order, and leaves out those that the engine writes', () => {
    const fields = new SenderFields(
      [
        'X',
        '1',
        'Content-Length',
        '5',
        'x',
        '2',
        'Connection',
        'keep-alive',
        'Set-Cookie',
        'a',
        'Set-Cookie',
        'b',
      ],
      false,
    );
    assert.equal(fields.lines, 'X: 1\r\nx: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n');
    assert.equal(fields.contentLength, 5);
    assert.equal(fields.chunked, false);
    assert.equal(fields.connectionClose, false);
  });

  test('notes what the sender set of the fields that would be added', () => {
    const fields = new SenderFields(['DATE', 'd', 'server', 's', 'content-TYPE', 't'], false);
    assert.deepEqual([fields.hasDate, fields.hasServer, fields.hasContentType], [true, true, true]);
    assert.equal(fields.lines, 'DATE: d\r\nserver: s\r\ncontent-TYPE: t\r\n');
    const others = new SenderFields(['Dat', 'd', 'Servers', 's', 'Content-Typ', 't'], false);
    assert.deepEqual([others.hasDate, others.hasServer, others.hasContentType], [false, false, false]);
  });

  test('a Connection field means something, and is written by the engine', () => {
    const closes = (value: string): boolean => new SenderFields(['Connection', value], false).connectionClose;
    assert.deepEqual(
      ['close', 'Close', 'x, close', 'close ,x', 'closed', 'x-close', 'clo se', ''].map(closes),
      [true, true, true, true, false, false, false, false],
    );
    assert.equal(new SenderFields(['Connection', 'upgrade'], false).lines, '');
  });

  test('in the head of an upgrade it is the sender’s', () => {
    const fields = new SenderFields(['Connection', 'upgrade', 'Upgrade', 'x', 'Content-Length', '0'], true);
    assert.equal(fields.lines, 'Connection: upgrade\r\nUpgrade: x\r\n');
  });

  test('splitting is refused in the fields that are left out too', () => {
    for (const name of [
      'Connection',
      'Content-Length',
      'Transfer-Encoding',
      'Content-Type',
      'Date',
      'Server',
      'X',
    ]) {
      for (const splitter of SPLITTERS) {
        assert.throws(() => new SenderFields([name, `5${splitter}`], false), BAD_HEAD, `${name} ${splitter}`);
      }
    }
  });

  test('a Content-Length must be a number, and one', () => {
    for (const value of [
      '',
      '-1',
      '+1',
      '1.5',
      '0x1',
      ' 1',
      '1 ',
      '1,1',
      '99999999999999999',
      '9007199254740992',
    ]) {
      assert.throws(() => new SenderFields(['Content-Length', value], false), BAD_HEAD, value);
    }
    assert.equal(
      new SenderFields(['Content-Length', '9007199254740991'], false).contentLength,
      Number.MAX_SAFE_INTEGER,
    );
    assert.equal(new SenderFields(['Content-Length', '5', 'content-length', '5'], false).contentLength, 5);
    assert.throws(() => new SenderFields(['Content-Length', '5', 'content-length', '6'], false), {
      ...BAD_HEAD,
      message: 'Content-Length is given twice: 5 and 6',
    });
  });

  test('a Transfer-Encoding can only be chunked', () => {
    assert.equal(new SenderFields(['Transfer-Encoding', 'Chunked'], false).chunked, true);
    for (const value of ['gzip', 'gzip, chunked', 'chunked, chunked', '', ' chunked', 'identity']) {
      assert.throws(() => new SenderFields(['Transfer-Encoding', value], false), BAD_HEAD, value);
    }
  });
});

describe('headEnd', () => {
  const date = 'Date: d\r\n';
  const server = 'Server: s\r\n';
  test('has one framing line at most, then what the engine adds, then the empty line', () => {
    assert.equal(
      headEnd(FRAME_LENGTH, 5, date, server, CONNECTION_DEFAULT),
      `Content-Length: 5\r\n${date}${server}\r\n`,
    );
    assert.equal(
      headEnd(FRAME_LENGTH, 0, '', '', CONNECTION_CLOSE),
      'Content-Length: 0\r\nConnection: close\r\n\r\n',
    );
    assert.equal(
      headEnd(FRAME_CHUNKED, 5, '', '', CONNECTION_KEEP_ALIVE),
      'Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n',
    );
    assert.equal(headEnd(FRAME_NONE, 5, '', '', CONNECTION_DEFAULT), '\r\n');
    assert.equal(headEnd(FRAME_UNTIL_CLOSE, 5, date, '', CONNECTION_DEFAULT), `${date}\r\n`);
  });
});

describe('chunks', () => {
  test('heads in hexadecimal', () => {
    assert.deepEqual([1, 15, 16, 65_536].map(chunkHead), ['1\r\n', 'f\r\n', '10\r\n', '10000\r\n']);
  });

  test('trailers are checked as header fields are', () => {
    assert.equal(lastChunk([]), '0\r\n\r\n');
    assert.equal(lastChunk(['X', '1', 'Y', '2']), '0\r\nX: 1\r\nY: 2\r\n\r\n');
    for (const splitter of SPLITTERS) {
      assert.throws(() => lastChunk(['X', splitter]), BAD_HEAD);
      assert.throws(() => lastChunk([`X${splitter}`, 'y']), BAD_HEAD);
    }
  });
});
