import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  BODY_NONE,
  DATA,
  END,
  ERROR,
  HEAD,
  NEED_DATA,
  RequestParser,
  ResponseParser,
} from '../../src/http1/index.ts';
import { bytesOf, expectRequest, requestEvents } from './wire-events.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED =
  'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n';

describe('messages one behind the other', () => {
  test('of every kind', () => {
    const events = [
      ['GET / 1.1', 'end'],
      ['POST / 1.1 length=5', 'data hello', 'end'],
      ['PUT / 1.1 chunked', 'data hello!', 'end X: y'],
    ];
    const messages = [GET, POST, CHUNKED];
    const order = [0, 1, 2, 1, 0, 0, 2, 2, 1];
    expectRequest(
      order.map((index) => messages[index]).join(''),
      order.flatMap((index) => events[index]!),
    );
  });

  test('a pipelined request is not looked at before it is asked for', () => {
    const parser = new RequestParser();
    parser.feed(bytesOf(`${GET}\0nonsense`));
    assert.equal(parser.next(), HEAD);
    assert.equal(parser.next(), END);
    assert.equal(parser.buffered, 9);
    assert.equal(parser.error, undefined);
    assert.equal(parser.next(), ERROR);
  });

  test('an event that was not taken yet survives the next feed', () => {
    const parser = new RequestParser();
    parser.feed(bytesOf(GET + POST.slice(0, 20)));
    assert.equal(parser.next(), HEAD);
    parser.feed(bytesOf(POST.slice(20, -3)));
    parser.feed(bytesOf(POST.slice(-3)));
    assert.equal(parser.next(), END);
    assert.equal(parser.next(), HEAD);
    assert.equal(parser.next(), DATA);
    assert.equal(parser.data.toString(), 'hello');
    assert.equal(parser.next(), END);
    assert.equal(parser.next(), NEED_DATA);
  });

  test('data that was taken does not change when more is fed', () => {
    const parser = new RequestParser();
    const pieces: Buffer[] = [];
    parser.feed(bytesOf(CHUNKED.slice(0, 30)));
    assert.equal(parser.next(), NEED_DATA);
    for (const byte of bytesOf(CHUNKED.slice(30) + CHUNKED)) {
      parser.feed(Buffer.of(byte));
      for (let event = parser.next(); event !== NEED_DATA; event = parser.next()) {
        if (event === DATA) pieces.push(parser.data);
      }
    }
    assert.equal(Buffer.concat(pieces).toString(), 'hello!hello!');
  });

  test('after an error nothing else comes', () => {
    const parser = new RequestParser();
    parser.feed(bytesOf(`G\0T${GET}`));
    assert.equal(parser.next(), ERROR);
    const { error } = parser;
    parser.feed(bytesOf(GET));
    assert.equal(parser.next(), ERROR);
    assert.equal(parser.finish(), ERROR);
    assert.equal(parser.error, error);
  });
});

describe('what the parser says about itself', () => {
  test('idle, inHead, inBody, bodyKind and bodyRemaining follow the message', () => {
    const parser = new RequestParser();
    const state = (): unknown[] => [parser.idle, parser.inHead, parser.inBody, parser.bodyRemaining];
    assert.deepEqual(state(), [true, false, false, 0]);
    parser.feed(bytesOf('POST / HT'));
    assert.equal(parser.next(), NEED_DATA);
    assert.deepEqual(state(), [false, true, false, 0]);
    parser.feed(bytesOf('TP/1.0\r\nContent-Length: 5\r\n'));
    assert.equal(parser.next(), NEED_DATA);
    assert.deepEqual(state(), [false, true, false, 0]);
    parser.feed(bytesOf('\r\nhe'));
    assert.equal(parser.next(), HEAD);
    assert.equal(parser.bodyKind, BODY_LENGTH);
    assert.deepEqual(state(), [false, false, true, 5]);
    assert.equal(parser.next(), DATA);
    assert.deepEqual(state(), [false, false, true, 3]);
    parser.feed(bytesOf('llo'));
    assert.equal(parser.next(), DATA);
    assert.equal(parser.next(), END);
    assert.deepEqual(state(), [true, false, false, 0]);
    parser.feed(bytesOf(GET + CHUNKED));
    assert.equal(parser.next(), HEAD);
    assert.equal(parser.bodyKind, BODY_NONE);
    assert.equal(parser.next(), END);
    assert.equal(parser.next(), HEAD);
    assert.equal(parser.bodyKind, BODY_CHUNKED);
    assert.deepEqual(state(), [false, false, true, 0]);
  });

  test('empty lines between messages leave it idle, a part of one does not', () => {
    const parser = new RequestParser();
    for (const part of [POST, '\r\n']) {
      parser.feed(bytesOf(part));
      while (parser.next() !== NEED_DATA);
      assert.equal(parser.idle, true);
      assert.equal(parser.inHead, false);
    }
    parser.feed(bytesOf('\r'));
    assert.equal(parser.next(), NEED_DATA);
    assert.equal(parser.inHead, true);
    parser.feed(bytesOf(`\n${GET}`));
    assert.equal(parser.next(), HEAD);
  });
});

describe('the end of the connection', () => {
  test('in every state', () => {
    const incomplete = 'error AIO_INCOMPLETE_MESSAGE 400';
    const events: [text: string, events: string[]][] = [
      ['', []],
      ['\r\n', []],
      ['\r', [incomplete]],
    ];
    for (let at = 1; at < GET.length; at++) events.push([GET.slice(0, at), [incomplete]]);
    events.push([GET, ['GET / 1.1', 'end']]);
    const head = 'PUT / 1.1 chunked';
    const body = CHUNKED.indexOf('5;');
    for (let at = body; at < CHUNKED.length; at++) {
      const seen = CHUNKED.slice(body, at);
      const data = seen.length > 10 + '\r\n1\r\n'.length + 2 ? 'hello!' : seen.slice(7, 12);
      events.push([
        CHUNKED.slice(0, at),
        data === '' ? [head, incomplete] : [head, `data ${data}`, incomplete],
      ]);
    }
    events.push([POST.slice(0, -5), ['POST / 1.1 length=5', incomplete]]);
    events.push([POST.slice(0, -1), ['POST / 1.1 length=5', 'data hell', incomplete]]);
    for (const [text, expected] of events)
      assert.deepEqual(requestEvents([bytesOf(text)]), expected, JSON.stringify(text));
  });

  test('finish gives what was fed and not taken before it says that there is no more', () => {
    const parser = new RequestParser();
    parser.feed(bytesOf(GET + POST));
    const events = Array.from({ length: 7 }, () => parser.finish());
    assert.deepEqual(events, [HEAD, END, HEAD, DATA, END, NEED_DATA, NEED_DATA]);
  });

  test('finish completes a response that runs until then, once', () => {
    const parser = new ResponseParser();
    parser.feed(bytesOf('HTTP/1.1 200 OK\r\n\r\nhello'));
    assert.equal(parser.next(), HEAD);
    assert.deepEqual([parser.finish(), parser.data.toString()], [DATA, 'hello']);
    assert.equal(parser.finish(), END);
    assert.equal(parser.finish(), NEED_DATA);
  });
});

describe('takeRest', () => {
  test('gives the bytes behind an upgrade', () => {
    const parser = new RequestParser();
    parser.feed(bytesOf(`${GET}\x81\x00rest`));
    assert.equal(parser.next(), HEAD);
    assert.equal(parser.next(), END);
    assert.equal(parser.takeRest().toString('latin1'), '\x81\x00rest');
    assert.equal(parser.takeRest().length, 0);
    assert.equal(parser.buffered, 0);
  });

  test('gives them before the end of the message was asked for, and when the head came in pieces', () => {
    const parser = new ResponseParser();
    parser.feed(bytesOf('HTTP/1.1 101 Switching'));
    assert.equal(parser.next(), NEED_DATA);
    parser.feed(bytesOf(' Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nrest'));
    assert.equal(parser.next(), HEAD);
    assert.equal(parser.head.upgrade, true);
    assert.equal(parser.takeRest().toString(), 'rest');
  });

  test('gives a head that was only begun as a whole', () => {
    const parser = new RequestParser();
    parser.feed(bytesOf('GE'));
    assert.equal(parser.next(), NEED_DATA);
    parser.feed(bytesOf('T /'));
    assert.equal(parser.next(), NEED_DATA);
    assert.equal(parser.takeRest().toString(), 'GET /');
  });
});

describe('memory', () => {
  /** Bytes that the parser allocates for itself while `work` runs. */
  function allocated(work: () => void): number {
    const allocate = mock.method(Buffer, 'allocUnsafeSlow');
    try {
      work();
      return allocate.mock.calls.reduce((sum, call) => sum + call.arguments[0], 0);
    } finally {
      allocate.mock.restore();
    }
  }

  test('a head in one piece and a body of any size are never copied', () => {
    const parser = new RequestParser();
    const piece = Buffer.alloc(65_536);
    let size = 0;
    const bytes = allocated(() => {
      for (let round = 0; round < 3; round++) {
        parser.feed(bytesOf('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n'));
        assert.equal(parser.next(), HEAD);
        for (let fed = 0; fed < 1024; fed++) {
          parser.feed(piece);
          assert.equal(parser.next(), DATA);
          size += parser.data.length;
          assert.equal(parser.buffered, 0);
        }
        assert.equal(parser.next(), END);
      }
    });
    assert.equal(size, 3 * 67_108_864);
    assert.equal(bytes, 0);
  });

  test('a head that comes byte by byte is copied a bounded number of times', () => {
    const head = bytesOf(`GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'y'.repeat(8000)}\r\n`.repeat(7)}\r\n`);
    const parser = new RequestParser();
    const bytes = allocated(() => {
      for (let at = 0; at < head.length; at++) {
        parser.feed(head.subarray(at, at + 1));
        assert.equal(parser.next(), at === head.length - 1 ? HEAD : NEED_DATA);
      }
    });
    assert.ok(bytes <= 5 * head.length, `${bytes} bytes were allocated for a head of ${head.length}`);
  });

  test('a million chunks of one byte need no memory of the parser, and give a million events', () => {
    const parser = new RequestParser();
    const chunks = bytesOf('1\r\nx\r\n'.repeat(10_000));
    let events = 0;
    const bytes = allocated(() => {
      parser.feed(bytesOf(CHUNKED.slice(0, CHUNKED.indexOf('5;'))));
      assert.equal(parser.next(), HEAD);
      for (let round = 0; round < 100; round++) {
        parser.feed(chunks);
        while (parser.next() === DATA) events++;
      }
      parser.feed(bytesOf('0\r\n\r\n'));
      assert.equal(parser.next(), END);
    });
    assert.equal(events, 1_000_000);
    assert.equal(bytes, 0);
  });
});
