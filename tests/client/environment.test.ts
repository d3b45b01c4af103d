import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ClientSession } from '../../src/client/index.ts';
import { ok, RawServer } from './raw-server.ts';

async function withEnvironment(variables: Record<string, string>, run: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    await run();
  } finally {
    for (const name of Object.keys(variables)) {
      const old = before[name];
      if (old === undefined) delete process.env[name];
      else process.env[name] = old;
    }
  }
}

describe('trustEnv', () => {
  test('proxies are taken from the environment, in absolute form and with credentials, and NO_PROXY is kept', async () => {
    await using proxy = await RawServer.start(() => ok('by proxy'));
    await using origin = await RawServer.start(() => ok('direct'));
    const http_proxy = proxy.url.replace('//', '//user:pw@');
    await withEnvironment({ http_proxy, no_proxy: '127.0.0.0/8' }, async () => {
      await using session = new ClientSession({ trustEnv: true });
      assert.equal(await (await session.get('http://host.test/a?b#c')).text(), 'by proxy');
      assert.match(
        proxy.requests[0]!.head,
        /^GET http:\/\/host\.test\/a\?b HTTP\/1\.1\r\nHost: host\.test\r\n[\s\S]*Proxy-Authorization: Basic dXNlcjpwdw==\r\n/,
      );
      assert.equal(await (await session.get(origin.url)).text(), 'direct');
      assert.doesNotMatch(origin.requests[0]!.head, /proxy/i);
      await using other = new ClientSession();
      assert.equal(
        await (await other.get(origin.url, { proxy: proxy.url, proxyHeaders: { 'X-P': '1' } })).text(),
        'by proxy',
      );
      assert.match(proxy.requests[1]!.head, /\r\nX-P: 1\r\n/);
    });
  });

  test('credentials are taken from netrc, and a header is stronger', async () => {
    await using server = await RawServer.start(() => ok());
    const folder = await mkdtemp(path.join(tmpdir(), 'netrc-'));
    const NETRC = path.join(folder, 'netrc');
    await writeFile(NETRC, 'machine 127.0.0.1 login user password pw\n');
    try {
      await withEnvironment({ NETRC }, async () => {
        await using session = new ClientSession({ trustEnv: true });
        await session.get(server.url);
        await session.get(`http://localhost:${server.port}/`);
        await session.get(server.url, { headers: { Authorization: 'mine' } });
      });
    } finally {
      await rm(folder, { recursive: true });
    }
    assert.deepEqual(
      server.requests.map(({ head }) => /Authorization: (.*)\r\n/.exec(head)?.[1]),
      ['Basic dXNlcjpwdw==', undefined, 'mine'],
    );
  });
});
