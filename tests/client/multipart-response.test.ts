import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BodyPartReader, ClientSession, MultipartReader } from '../../src/client/index.ts';
import { ok, RawServer } from './raw-server.ts';

const type = 'Content-Type: multipart/mixed; boundary=b\r\n';
const body = '--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\nepilogue';

describe('multipart responses', () => {
  test('are read part by part, and the connection is free again', async () => {
    await using server = await RawServer.start(() => ok(body, type));
    await using session = new ClientSession();
    for (const round of [1, 2]) {
      const response = await session.get(server.url);
      const texts: string[] = [];
      for await (const part of MultipartReader.fromResponse(response)) {
        assert.ok(part instanceof BodyPartReader);
        texts.push(await part.text());
      }
      assert.deepEqual(texts, ['one', 'two'], `round ${round}`);
      assert.equal(response.closed, true);
    }
    assert.equal(server.connections, 1);
  });

  test('come while they are read', async () => {
    await using server = await RawServer.start(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\n${type}Transfer-Encoding: chunked\r\n\r\n`);
      const chunk = (text: string): void => void socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
      chunk('--b\r\n\r\none\r\n--b\r\n');
      return undefined;
    });
    await using session = new ClientSession();
    const reader = MultipartReader.fromResponse(await session.get(server.url));
    const one = await reader.next();
    assert.ok(one instanceof BodyPartReader);
    // The server keeps the rest to itself.
    assert.equal(await one.text(), 'one');
  });

  test('that break off are errors', async () => {
    await using server = await RawServer.start(({ number }) =>
      number === 1 ? ok('--b\r\n\r\none', type) : ok('', 'Content-Type: text/plain\r\n'),
    );
    await using session = new ClientSession();
    await assert.rejects(MultipartReader.fromResponse(await session.get(server.url)).release(), {
      code: 'AIO_MULTIPART_TRUNCATED',
    });
    const response = await session.get(server.url);
    assert.throws(() => MultipartReader.fromResponse(response), { code: 'AIO_MULTIPART_TYPE' });
  });
});

test('response.contentDisposition tells what a download is', async () => {
  const fields = [
    `Content-Disposition: attachment; filename=x; filename*=utf-8''%E2%82%AC.txt; size=5\r\n`,
    'Content-Disposition: inline; filename="\xc3\xa9.txt"\r\n',
    'Content-Disposition: attachment; filename="never closed\r\n',
    '',
  ];
  await using server = await RawServer.start(({ number }) => ok('', fields[number - 1]));
  await using session = new ClientSession();
  const one = (await session.get(server.url)).contentDisposition;
  assert.deepEqual([one?.type, one?.filename, one?.parameters.get('size')], ['attachment', '€.txt', '5']);
  assert.equal((await session.get(server.url)).contentDisposition?.filename, 'é.txt');
  assert.equal((await session.get(server.url)).contentDisposition, undefined);
  assert.equal((await session.get(server.url)).contentDisposition, undefined);
});
