import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { sleep } from '../../src/asyncio/index.ts';
import { ClientSession, FormData, type RequestData } from '../../src/client/index.ts';
import { RunningExample } from './running-example.ts';

let folder: string;
let dir: string;
let example: RunningExample;
let session: ClientSession;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'upload-'));
  dir = path.join(folder, 'there');
  example = await RunningExample.start('examples/upload/server.ts', '--dir', dir, '--limit', '3000000');
  session = new ClientSession({ baseUrl: `${example.url}/` });
});
after(async () => {
  await session.close();
  assert.equal(await example.stop(), 0, example.stderr);
  await rm(folder, { recursive: true });
});

interface Listing {
  readonly files: { readonly name: string; readonly size: number }[];
}

async function upload(data: RequestData): Promise<Listing['files']> {
  const response = await session.post('files', { data });
  assert.equal(response.status, 201, await response.text());
  return (await response.json<Listing>())!.files;
}

async function listed(): Promise<string[]> {
  const { files } = (await (await session.get('files')).json<Listing>())!;
  return files.map(({ name }) => name);
}

test('the page and what belongs to it', async () => {
  for (const [url, type] of [
    ['', 'text/html'],
    ['page.css', 'text/css'],
    ['page.js', 'text/javascript'],
  ] as const) {
    const response = await session.get(url);
    assert.equal(response.contentType, type);
    assert.match(await response.text(), /upload/i);
    assert.equal(response.header('content-security-policy'), "default-src 'self'");
  }
});

test('several files in one form, one of them of unknown size', async () => {
  const big = Buffer.alloc(2_500_000, 'abcdefg');
  const form = new FormData({ comment: 'not a file' });
  form.addField('file', big, { filename: 'big.bin' });
  form.addField('file', Readable.from(['str', 'eam']), { filename: 'é "1".txt' });
  form.addField('file', '', { filename: '' });
  assert.deepEqual(await upload(form), [
    { name: 'big.bin', size: 2_500_000 },
    { name: 'é _1_.txt', size: 6 },
  ]);
  assert.deepEqual(await listed(), ['big.bin', 'é _1_.txt']);
  const response = await session.get('files/big.bin');
  assert.equal(response.header('content-disposition'), 'attachment; filename="big.bin"');
  assert.equal(response.contentType, 'application/octet-stream');
  assert.ok(big.equals(await response.read()));
});

test('no name leads out of the directory, and none replaces another', async () => {
  const named = (filename: string) => upload(new FormData([['file', Buffer.from('x'), { filename }]]));
  for (const [filename, expected] of [
    ['../../escaped', 'escaped'],
    ['C:\\temp\\a.txt', 'a.txt'],
    ['a.txt', 'a (2).txt'],
    ['/etc/a.txt', 'a (3).txt'],
    ['.htaccess', '_htaccess'],
    ['..', 'file'],
    ['<script>.html', '_script_.html'],
  ] as const) {
    assert.equal((await named(filename))[0]!.name, expected);
  }
  assert.deepEqual((await readdir(folder)).sort(), ['there']);
  await writeFile(path.join(folder, 'secret'), 'secret');
  for (const name of ['..%2Fsecret', '%2e%2e/secret', '.upload-x', 'missing', '..%5Csecret']) {
    assert.equal((await session.get(`${example.url}/files/${name}`, { encoded: true })).status, 404, name);
  }
});

test('what is too large or malformed leaves nothing behind', async () => {
  const before = await readdir(dir);
  const large = new FormData([['file', Buffer.alloc(3_000_001), { filename: 'large' }]]);
  assert.equal((await session.post('files', { data: large })).status, 413);
  for (const data of [{ a: '1' }, new FormData({ a: '1' }, { defaultToMultipart: true }), 'text']) {
    assert.equal((await session.post('files', { data })).status, 400);
  }
  // Cut in the middle of a file.
  const socket = connect(Number(new URL(example.url).port), '127.0.0.1');
  socket.write(
    'POST /files HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n' +
      '--b\r\nContent-Disposition: form-data; name="file"; filename="cut"\r\n\r\nbeginning',
  );
  const unfinished = async (): Promise<number> =>
    (await readdir(dir)).filter((name) => name.startsWith('.')).length;
  while ((await unfinished()) === 0) await sleep(1);
  socket.destroy();
  while ((await unfinished()) > 0) await sleep(1);
  assert.deepEqual((await readdir(dir)).sort(), before.sort());
  assert.equal(await readFile(path.join(dir, 'escaped'), 'utf8'), 'x');
});
