import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientSession, web } from '../../src/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import { CLOSE, split, wire } from './answer.ts';

const GET = `GET / HTTP/1.1\r\n${CLOSE}\r\n`;

function streamed(): web.RawHandler {
  return async (request) => {
    const response = new web.StreamResponse({ headers: { Trailer: 'X-Sum' } });
    response.trailers.set('X-Sum', 'wrong');
    await response.prepare(request);
    await response.write(Buffer.from('ab'));
    response.trailers.set('X-Sum', '2');
    return response;
  };
}

describe('response.trailers', () => {
  test('go behind a stream, with what they hold at its end', async () => {
    const { body } = split(await wire(streamed(), GET));
    assert.equal(body, '2\r\nab\r\n0\r\nX-Sum: 2\r\n\r\n');
  });

  test('make a whole body chunked', async () => {
    const text = await wire(() => {
      const response = new web.Response({ text: 'whole' });
      response.trailers.add('X-Sum', '5');
      return response;
    }, GET);
    const { lines, body } = split(text);
    assert.ok(lines.includes('Transfer-Encoding: chunked'));
    assert.ok(!/content-length/i.test(text));
    assert.equal(body, '5\r\nwhole\r\n0\r\nX-Sum: 5\r\n\r\n');
  });

  test('are left out for HTTP/1.0 and HEAD', async () => {
    const old = split(await wire(streamed(), 'GET / HTTP/1.0\r\n\r\n'));
    assert.equal(old.body, 'ab');
    const head = split(await wire(streamed(), `HEAD / HTTP/1.1\r\n${CLOSE}\r\n`));
    assert.equal(head.body, '');
  });

  test('have no place behind a body with a length', async () => {
    const codes: unknown[] = [];
    await wire(async (request) => {
      const response = new web.StreamResponse({ headers: { 'Content-Length': '2' } });
      try {
        response.trailers.set('X-Sum', '2');
      } catch (error) {
        codes.push((error as { code?: unknown }).code);
      }
      await response.prepare(request);
      await response.write(Buffer.from('ab'));
      return response;
    }, GET);
    assert.deepEqual(codes, ['AIO_RESPONSE_FRAMING']);
  });

  for (const [name, value] of [
    ['Content-Length', '987654321'],
    ['Set-Cookie', 'a=b'],
    ['X-Sum', 'a\r\nHTTP/1.1 200 OK'],
    ['X Sum', 'zz9'],
  ] as const) {
    test(`${name}: ${JSON.stringify(value)} is never sent`, async () => {
      const text = await wire(async (request) => {
        const response = new web.StreamResponse();
        response.trailers.set(name, value);
        await response.prepare(request);
        await response.write(Buffer.from('ab'));
        return response;
      }, GET);
      assert.ok(!text.endsWith('0\r\n\r\n'), 'the client sees that the answer is not complete');
      assert.ok(!text.includes(name) && !text.includes(value));
    });
  }

  test('reach a client of ours', async () => {
    const app = new web.Application();
    app.router.addGet('/', streamed() as web.Handler);
    await using server = await new TestServer(app).start();
    await using session = new ClientSession();
    await using response = await session.get(server.makeUrl('/'));
    assert.equal(await response.text(), 'ab');
    assert.equal(response.trailers?.get('x-sum'), '2');
  });
});
