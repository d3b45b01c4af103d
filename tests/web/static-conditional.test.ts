// RFC 9110 §13 (conditions) and §14 (ranges), of files.

import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { web } from '../../src/index.ts';
import { selectParts } from '../../src/web/file-ranges.ts';
import { FileTree, RunningApp, type WireAnswer } from './static-site.ts';

const modified = 'Sun, 09 Sep 2001 01:46:40 GMT';
const before1s = 'Sun, 09 Sep 2001 01:46:39 GMT';
const after1s = 'Sun, 09 Sep 2001 01:46:41 GMT';
const alphabet = 'abcdefghijklmnopqrstuvwxyz';

/** The parts of a `multipart/byteranges` body. */
function partsOf(answer: WireAnswer): { type: string; range: string; body: string }[] {
  const boundary = /^multipart\/byteranges; boundary=([\da-f]{24})$/.exec(
    answer.headers.get('content-type') ?? '',
  );
  assert.ok(boundary !== null, [...answer.headers].join());
  assert.equal(answer.headers.get('content-length'), String(answer.body.length));
  const end = `\r\n--${boundary[1]}--\r\n`;
  assert.ok(answer.body.startsWith(`--${boundary[1]}\r\n`) && answer.body.endsWith(end));
  const inner = answer.body.slice(boundary[1]!.length + 4, -end.length);
  return inner.split(`\r\n--${boundary[1]}\r\n`).map((part) => {
    const found = /^Content-Type: (.*)\r\nContent-Range: (.*)\r\n\r\n([\s\S]*)$/.exec(part);
    assert.ok(found !== null, part);
    return { type: found[1]!, range: found[2]!, body: found[3]! };
  });
}

describe('files', () => {
  let tree: FileTree;
  let app: RunningApp;
  let tag: string;
  before(async () => {
    tree = new FileTree({ 'a.txt': alphabet, empty: '', 'big.bin': Buffer.alloc(600_000, alphabet) });
    utimesSync(tree.path('a.txt'), 1_000_000_000.25, 1_000_000_000.25);
    app = await RunningApp.start([
      web.static('/static', tree.root),
      web.static('/cached', tree.root, { cache: true }),
      web.post('/post', () => new web.FileResponse(tree.path('a.txt'))),
      web.get('/status', () => new web.FileResponse(tree.path('a.txt'), { status: 404 })),
      web.get(
        '/own',
        () =>
          new web.FileResponse(tree.path('a.txt'), {
            headers: { ETag: 'W/"own"', 'Last-Modified': after1s },
          }),
      ),
    ]);
    tag = (await app.request('/static/a.txt')).headers.get('etag') ?? '';
    await app.request('/cached/a.txt');
  });
  after(async () => {
    await app[Symbol.asyncDispose]();
    tree[Symbol.dispose]();
  });

  describe('conditions, in their order of precedence', () => {
    const table: [string, Record<string, string>, number][] = [
      ['none', {}, 200],
      ['If-Match, the tag', { 'If-Match': 'TAG' }, 200],
      ['If-Match, one of several', { 'If-Match': '"x", TAG' }, 200],
      ['If-Match, any', { 'If-Match': '*' }, 200],
      ['If-Match, another', { 'If-Match': '"x"' }, 412],
      ['If-Match, weak', { 'If-Match': 'W/TAG' }, 412],
      ['If-Match, malformed', { 'If-Match': 'x' }, 412],
      ['If-Unmodified-Since, the same', { 'If-Unmodified-Since': modified }, 200],
      ['If-Unmodified-Since, later', { 'If-Unmodified-Since': after1s }, 200],
      ['If-Unmodified-Since, earlier', { 'If-Unmodified-Since': before1s }, 412],
      ['If-Unmodified-Since, no date', { 'If-Unmodified-Since': 'yesterday' }, 200],
      ['If-Match wins over If-Unmodified-Since', { 'If-Match': 'TAG', 'If-Unmodified-Since': before1s }, 200],
      ['If-None-Match, the tag', { 'If-None-Match': 'TAG' }, 304],
      ['If-None-Match, weak', { 'If-None-Match': 'W/TAG' }, 304],
      ['If-None-Match, any', { 'If-None-Match': '*' }, 304],
      ['If-None-Match, another', { 'If-None-Match': '"x"' }, 200],
      ['If-None-Match, malformed', { 'If-None-Match': 'x' }, 200],
      ['If-Modified-Since, the same', { 'If-Modified-Since': modified }, 304],
      ['If-Modified-Since, later', { 'If-Modified-Since': after1s }, 304],
      ['If-Modified-Since, earlier', { 'If-Modified-Since': before1s }, 200],
      ['If-Modified-Since, RFC 850', { 'If-Modified-Since': 'Sunday, 09-Sep-01 01:46:40 GMT' }, 304],
      ['If-Modified-Since, no date', { 'If-Modified-Since': '0' }, 200],
      [
        'If-None-Match wins over If-Modified-Since',
        { 'If-None-Match': '"x"', 'If-Modified-Since': modified },
        200,
      ],
      ['If-Match is looked at first', { 'If-Match': '"x"', 'If-None-Match': 'TAG' }, 412],
      ['then If-None-Match', { 'If-Match': 'TAG', 'If-None-Match': 'TAG' }, 304],
      ['conditions come before ranges', { 'If-None-Match': 'TAG', Range: 'bytes=0-1' }, 304],
      ['412 comes before 416', { 'If-Match': '"x"', Range: 'bytes=99-' }, 412],
    ];
    for (const [name, fields, status] of table) {
      test(`${name}: ${status}`, async () => {
        const headers = Object.fromEntries(
          Object.entries(fields).map(([key, value]) => [key, value.replaceAll('TAG', tag)]),
        );
        for (const [prefix, method] of [
          ['/static', 'GET'],
          ['/static', 'HEAD'],
          ['/cached', 'GET'],
          ['/cached', 'HEAD'],
        ] as const) {
          const answer = await app.request(`${prefix}/a.txt`, headers, method);
          assert.equal(answer.status, status, `${method} ${prefix}`);
          assert.equal(answer.headers.get('etag'), tag);
          assert.equal(answer.headers.get('last-modified'), modified);
          if (status !== 200) {
            assert.equal(answer.body, '');
            assert.equal(answer.headers.get('content-type'), undefined);
          }
          if (status === 304) assert.equal(answer.headers.get('content-length'), undefined);
          if (status === 412 && method === 'GET') assert.equal(answer.headers.get('content-length'), '0');
        }
      });
    }

    test('other methods get 412 and not 304; other statuses no condition at all', async () => {
      assert.equal((await app.request('/post', { 'If-None-Match': '*' }, 'POST')).status, 412);
      assert.equal((await app.request('/post', { 'If-Modified-Since': modified }, 'POST')).status, 200);
      assert.equal((await app.request('/status', { 'If-None-Match': '*', Range: 'bytes=0-1' })).status, 404);
      assert.equal((await app.request('/status', { 'If-Match': '"x"' })).body, alphabet);
    });

    test('validators that the application has set are the ones', async () => {
      assert.equal((await app.request('/own', { 'If-None-Match': '"own"' })).status, 304);
      assert.equal((await app.request('/own', { 'If-None-Match': tag })).status, 200);
      assert.equal((await app.request('/own', { 'If-Modified-Since': modified })).status, 200);
      assert.equal((await app.request('/own', { Range: 'bytes=0-1', 'If-Range': 'W/"own"' })).status, 200);
    });
  });

  describe('one range', () => {
    const table: [string, number, string, string?][] = [
      ['bytes=0-0', 206, 'a', 'bytes 0-0/26'],
      ['bytes=2-4', 206, 'cde', 'bytes 2-4/26'],
      ['bytes=23-', 206, 'xyz', 'bytes 23-25/26'],
      ['bytes=23-999', 206, 'xyz', 'bytes 23-25/26'],
      ['bytes=-3', 206, 'xyz', 'bytes 23-25/26'],
      ['bytes=-100', 206, alphabet, 'bytes 0-25/26'],
      ['bytes=0-', 206, alphabet, 'bytes 0-25/26'],
      ['bytes=0-99999999999999999999999', 206, alphabet, 'bytes 0-25/26'],
      ['BYTES=0-1', 206, 'ab', 'bytes 0-1/26'],
      ['bytes=26-', 416, '', 'bytes */26'],
      ['bytes=100-200', 416, '', 'bytes */26'],
      ['bytes=-0', 416, '', 'bytes */26'],
      ['bytes=4-2', 416, '', 'bytes */26'],
      ['bytes=', 416, '', 'bytes */26'],
      ['bytes=-', 416, '', 'bytes */26'],
      ['bytes=a-b', 416, '', 'bytes */26'],
      ['bytes=0-1;2-3', 416, '', 'bytes */26'],
      [
        `bytes=${Array.from({ length: 17 }, (_, index) => `${index}-${index}`).join()}`,
        416,
        '',
        'bytes */26',
      ],
      ['items=0-1', 200, alphabet],
      ['bytes=99-,-0', 416, '', 'bytes */26'],
      ['bytes=99-,0-1', 206, 'ab', 'bytes 0-1/26'],
      ['bytes=0-3,2-5', 206, 'abcdef', 'bytes 0-5/26'],
      ['bytes=4-5,2-3', 206, 'cdef', 'bytes 2-5/26'],
      ['bytes=0-,0-,0-', 206, alphabet, 'bytes 0-25/26'],
      ['bytes=0-1 , 1-2', 206, 'abc', 'bytes 0-2/26'],
    ];
    for (const [range, status, body, contentRange] of table) {
      test(`${range.slice(0, 40)}: ${status}`, async () => {
        for (const prefix of ['/static', '/cached']) {
          const answer = await app.request(`${prefix}/a.txt`, { Range: range });
          assert.equal(answer.status, status);
          assert.equal(answer.body, body);
          assert.equal(answer.headers.get('content-range'), contentRange);
          assert.equal(answer.headers.get('content-length'), String(body.length));
          assert.equal(answer.headers.get('etag'), tag);
          if (status !== 416) assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
        }
      });
    }

    test('ranges are for GET only (RFC 9110 §14.2)', async () => {
      const answer = await app.request('/static/a.txt', { Range: 'bytes=0-1' }, 'HEAD');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-length'), '26');
      assert.equal((await app.request('/post', { Range: 'bytes=0-1' }, 'POST')).status, 200);
    });

    test('of an empty file there is none', async () => {
      assert.equal((await app.request('/static/empty')).headers.get('content-length'), '0');
      for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=-1']) {
        const answer = await app.request('/static/empty', { Range: range });
        assert.equal(answer.status, 416);
        assert.equal(answer.headers.get('content-range'), 'bytes */0');
      }
    });

    test('of a large file, over the edges of chunks', async () => {
      const content = Buffer.alloc(600_000, alphabet).toString();
      for (const [first, last] of [
        [262_143, 262_144],
        [1, 599_998],
        [262_144, 524_287],
        [65_535, 131_072],
      ] as const) {
        const answer = await app.request('/static/big.bin', { Range: `bytes=${first}-${last}` });
        assert.equal(answer.body, content.slice(first, last + 1));
      }
    });
  });

  test('If-Range: the very representation or the whole file', async () => {
    for (const [value, status] of [
      ['TAG', 206],
      ['W/TAG', 200],
      ['"x"', 200],
      ['x', 200],
      [modified, 206],
      [before1s, 200],
      [after1s, 200],
      ['yesterday', 200],
      ['*', 200],
    ] as const) {
      for (const prefix of ['/static', '/cached']) {
        const headers = { 'If-Range': value.replace('TAG', tag), Range: 'bytes=0-1' };
        const answer = await app.request(`${prefix}/a.txt`, headers);
        assert.equal(answer.status, status, value);
        assert.equal(answer.body, status === 206 ? 'ab' : alphabet);
      }
    }
    // Not satisfiable matters only if the condition holds.
    const headers = { 'If-Range': '"x"', Range: 'bytes=99-' };
    assert.equal((await app.request('/static/a.txt', headers)).status, 200);
  });

  test('several ranges are parts, in the order asked for, no byte twice', async () => {
    for (const prefix of ['/static', '/cached']) {
      const answer = await app.request(`${prefix}/a.txt`, { Range: 'bytes=-2, 0-1,10-12,11-13, 99-' });
      assert.equal(answer.status, 206);
      assert.equal(answer.headers.get('content-range'), undefined);
      assert.deepEqual(partsOf(answer), [
        { type: 'text/plain; charset=utf-8', range: 'bytes 24-25/26', body: 'yz' },
        { type: 'text/plain; charset=utf-8', range: 'bytes 0-1/26', body: 'ab' },
        { type: 'text/plain; charset=utf-8', range: 'bytes 10-13/26', body: 'klmn' },
      ]);
    }
    const large = await app.request('/static/big.bin', { Range: 'bytes=0-299999,400000-599999' });
    assert.deepEqual(
      partsOf(large).map(({ body }) => body.length),
      [300_000, 200_000],
    );
  });
});

test('what ranges select is what they ask for, never more than the file and its part headers', () => {
  const position = fc.integer({ min: 0, max: 60 });
  const range = fc.oneof(
    fc.tuple(position, position).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    position.map((first) => `${first}-`),
    position.map((suffix) => `-${suffix}`),
  );
  fc.assert(
    fc.property(
      fc.array(range, { minLength: 1, maxLength: 16 }),
      fc.integer({ min: 0, max: 50 }),
      (ranges, size) => {
        const wanted = new Set<number>();
        for (const text of ranges) {
          const [first = '', last = ''] = text.split('-');
          const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
          const to = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
          for (let at = from; at <= to; at++) wanted.add(at);
        }
        const parts = selectParts(`bytes=${ranges.join()}`, size, 'a/b');
        assert.ok(parts !== undefined);
        if (parts === 'unsatisfiable') {
          assert.equal(wanted.size, 0);
          return;
        }
        const sent: number[] = [];
        let length = parts.ending.length;
        for (const { preface, start, end } of parts.pieces) {
          for (let at = start; at < end; at++) sent.push(at);
          length += preface.length + end - start;
        }
        assert.equal(length, parts.length);
        assert.equal(new Set(sent).size, sent.length);
        assert.deepEqual(
          sent.toSorted((a, b) => a - b),
          [...wanted].sort((a, b) => a - b),
        );
      },
    ),
    { seed: 3, numRuns: 2_000 },
  );
});
