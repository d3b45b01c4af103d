import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { ClientSession, type RequestOptions } from '../../src/client/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { ok, RawServer } from './raw-server.ts';

describe('trailers of a request', () => {
  test('hold what was computed while the body was sent', async () => {
    const app = new web.Application();
    app.router.addPut('/', async (request) => {
      const hash = createHash('sha256').update(await request.read());
      return web.jsonResponse([request.trailers?.get('x-sha256'), hash.digest('hex')]);
    });
    await using server = await new TestServer(app).start();
    await using session = new ClientSession();
    const hash = createHash('sha256');
    async function* body(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 100; i++) {
        const piece = Buffer.alloc(i, i);
        hash.update(piece);
        yield piece;
      }
    }
    await using response = await session.put(server.makeUrl('/'), {
      data: body(),
      trailers: () => ({ 'X-Sha256': hash.digest('hex') }),
    });
    const [sent, counted] = await response.json<[string, string]>();
    assert.equal(sent, counted);
  });

  test('make a body chunked whose length is known', async () => {
    await using server = await RawServer.start(() => ok('done'));
    await using session = new ClientSession();
    await session.post(server.url, { data: 'whole', trailers: async () => [['X-Sum', '5']] });
    const { head, body } = server.requests[0]!;
    assert.match(head, /\r\nTransfer-Encoding: chunked\r\n/);
    assert.doesNotMatch(head, /content-length/i);
    assert.equal(body, '5\r\nwhole\r\n0\r\nX-Sum: 5\r\n\r\n');
  });

  const refused: readonly [string, RequestOptions][] = [
    ['no body', { trailers: () => ({}) }],
    ['no function', { data: 'a', trailers: { 'X-Sum': '5' } as never }],
    ['a length', { data: 'a', headers: { 'Content-Length': '1' }, trailers: () => ({}) }],
    ['a field that frames', { data: 'a', trailers: () => ({ 'Transfer-Encoding': 'chunked' }) }],
    ['a value that splits', { data: 'a', trailers: () => ({ 'X-Sum': 'a\r\nb: c' }) }],
    [
      'a function that throws',
      {
        data: 'a',
        trailers: () => {
          throw new TypeError('no sum');
        },
      },
    ],
  ];
  for (const [name, options] of refused) {
    test(`are refused with ${name}`, async () => {
      await using server = await RawServer.start(() => ok('done'));
      await using session = new ClientSession();
      await assert.rejects(session.post(server.url, options), Error);
      assert.deepEqual([session.stats().busy, session.stats().idle], [0, 0]);
    });
  }
});
