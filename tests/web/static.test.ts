import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  fstatSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { web } from '../../src/index.ts';
import { OpenFile } from '../../src/web/file-open.ts';
import { FileRepresentation } from '../../src/web/file-representation.ts';
import { StaticCache } from '../../src/web/static-cache.ts';
import { collectingLogger } from './collecting-logger.ts';
import { FileTree, openFilesBelow, RunningApp, withStatic } from './static-site.ts';

function openNow(path: string): OpenFile {
  const fd = openSync(path, 'r');
  return new OpenFile(fd, fstatSync(fd));
}

describe('web.static()', () => {
  test('serves files with type, length, validators and nothing more', async () => {
    await withStatic({ 'a.txt': 'hello', 'sub/b c.html': '<p>é</p>' }, {}, async (app, tree) => {
      utimesSync(tree.path('a.txt'), 1_000_000_000, 1_000_000_000);
      const answer = await app.request('/static/a.txt');
      assert.equal(answer.status, 200);
      assert.equal(answer.body, 'hello');
      const { headers } = answer;
      assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.equal(headers.get('content-length'), '5');
      assert.equal(headers.get('last-modified'), 'Sun, 09 Sep 2001 01:46:40 GMT');
      assert.match(headers.get('etag') ?? '', /^"[\da-f]+-5"$/);
      assert.equal(headers.get('accept-ranges'), 'bytes');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      for (const absent of ['vary', 'cache-control', 'content-encoding', 'transfer-encoding']) {
        assert.equal(headers.get(absent), undefined, absent);
      }
      const encoded = await app.request('/static/sub/b%20c.html?x=1');
      assert.equal(encoded.body, Buffer.from('<p>é</p>').toString('latin1'));
      assert.equal(encoded.headers.get('content-type'), 'text/html; charset=utf-8');
    });
  });

  test('HEAD has the fields of GET and no body; other methods are 405', async () => {
    await withStatic({ 'a.txt': 'hello', 'big.bin': Buffer.alloc(300_000) }, {}, async (app) => {
      for (const name of ['a.txt', 'big.bin']) {
        const get = await app.request(`/static/${name}`);
        const head = await app.request(`/static/${name}`, {}, 'HEAD');
        assert.equal(head.body, '');
        assert.deepEqual([...head.headers.keys()], [...get.headers.keys()]);
        assert.equal(head.headers.get('content-length'), get.headers.get('content-length'));
      }
      const post = await app.request('/static/a.txt', {}, 'POST');
      assert.equal(post.status, 405);
      assert.equal(post.headers.get('allow'), 'GET,HEAD');
    });
  });

  test('empty, small and large files arrive whole', async () => {
    const files = Object.fromEntries(
      [0, 1, 65_535, 65_536, 65_537, 262_144, 262_145, 1_000_003].map((size) => [
        `f${size}`,
        Buffer.from(Array.from({ length: size }, (_, index) => (index * 31) & 0xff)),
      ]),
    );
    await withStatic(files, {}, async (app) => {
      for (const [name, content] of Object.entries(files)) {
        const answer = await app.request(`/static/${name}`);
        assert.equal(answer.headers.get('content-length'), String(content.length));
        assert.ok(Buffer.from(answer.body, 'latin1').equals(content), name);
      }
    });
  });

  test('what is not there is 404, also when its name is too long or ends with a slash', async () => {
    await withStatic({ 'a.txt': 'x' }, { index: 'index.html' }, async (app) => {
      for (const target of [
        '/static/b.txt',
        '/static/a.txt/',
        '/static/a.txt/b',
        `/static/${'n'.repeat(256)}`,
        `/static/${'n/'.repeat(3_000)}`,
        '/staticx',
        '/static2/a.txt',
      ]) {
        assert.equal((await app.request(target)).status, 404, target.slice(0, 40));
      }
    });
  });

  test('a directory is 403, its index, or its list', async () => {
    const files = { 'sub/index.html': 'INDEX', 'empty/x': '', 'default/default.htm': 'D' };
    await withStatic(files, {}, async (app) => {
      for (const target of ['/static', '/static/', '/static/sub', '/static/sub/']) {
        assert.equal((await app.request(target)).status, 403, target);
      }
    });
    await withStatic(files, { index: ['index.html', 'default.htm'] }, async (app) => {
      assert.equal((await app.request('/static/sub/')).body, 'INDEX');
      assert.equal((await app.request('/static/default/')).body, 'D');
      const moved = await app.request('/static/sub?a=1');
      assert.equal(moved.status, 301);
      assert.equal(moved.headers.get('location'), '/static/sub/?a=1');
      assert.equal((await app.request('/static/empty/')).status, 403);
      assert.equal((await app.request('/static/empty')).status, 403);
    });
  });

  test('the list escapes names and shows what is served', async () => {
    const evil = '<img src=x onerror=alert(1)>&".txt';
    const files = { [evil]: '', 'b.txt': '', '.hidden': '', 'sub/x': '', 'a b?#%.txt': '' };
    await withStatic(files, { showIndex: true }, async (app, tree) => {
      symlinkSync(tree.path('b.txt'), tree.path('inside'));
      symlinkSync('../secret.txt', tree.path('outside'));
      const answer = await app.request('/static/');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.match(answer.body, /<h1>Index of \/<\/h1>/);
      assert.doesNotMatch(answer.body, /<img/);
      assert.match(answer.body, /&lt;img src=x onerror=alert\(1\)&gt;&amp;&quot;\.txt<\/a>/);
      const links = [...answer.body.matchAll(/<a href="([^"]*)">/g)].map((match) => match[1]!);
      assert.deepEqual(links.slice(1), [
        '/static/a%20b%3F%23%25.txt',
        '/static/b.txt',
        '/static/inside',
        '/static/sub/',
      ]);
      for (const link of links) {
        assert.equal((await app.request(link.replaceAll('&amp;', '&'))).status, 200, link);
      }
      const below = await app.request('/static/sub');
      assert.match(below.body, /<h1>Index of \/sub<\/h1>[\s\S]*href="\/static\/sub\/x"/);
      assert.equal((await app.request('/static/', {}, 'HEAD')).body, '');
    });
  });

  test('dotfiles are ignored, denied or allowed; .well-known is public', async () => {
    const files = { '.env': 'E', '.git/config': 'G', '.well-known/x': 'W', '.well-known/.y': 'Y' };
    for (const [dotfiles, expected] of [
      [undefined, 404],
      ['ignore', 404],
      ['deny', 403],
      ['allow', 200],
    ] as const) {
      await withStatic(files, { dotfiles }, async (app) => {
        for (const name of ['.env', '.git/config', '%2eenv', '.well-known/.y']) {
          assert.equal((await app.request(`/static/${name}`)).status, expected, name);
        }
        assert.equal((await app.request('/static/.well-known/x')).body, 'W');
      });
    }
  });

  test('Cache-Control and further fields by option', async () => {
    const options = { maxAge: 3_600_000, headers: { 'X-Own': 'yes', 'Content-Type': 'text/x-own' } };
    await withStatic({ 'a.txt': 'x' }, options, async (app) => {
      const { headers } = await app.request('/static/a.txt');
      assert.equal(headers.get('cache-control'), 'public, max-age=3600');
      assert.equal(headers.get('x-own'), 'yes');
      assert.equal(headers.get('content-type'), 'text/x-own');
    });
    await withStatic({ 'a.txt': 'x' }, { immutable: true, nosniff: false }, async (app) => {
      const { headers } = await app.request('/static/a.txt');
      assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable');
      assert.equal(headers.get('x-content-type-options'), undefined);
    });
  });

  test('caches were told to keep a 412 or 416, which everybody got for the file then', async () => {
    for (const options of [
      { maxAge: 60_000, immutable: true },
      { headers: { 'Cache-Control': 'public, max-age=60', Expires: 'Thu, 01 Jan 2099 00:00:00 GMT' } },
      { maxAge: 60_000, cache: true },
    ]) {
      await withStatic({ 'a.txt': 'a' }, options, async (app) => {
        assert.match((await app.request('/static/a.txt')).headers.get('cache-control') ?? '', /^public/);
        for (const [status, headers] of [
          [412, { 'If-Match': '"x"' }],
          [416, { Range: 'bytes=9-' }],
        ] as const) {
          const answer = await app.request('/static/a.txt', headers);
          assert.equal(answer.status, status);
          assert.equal(answer.headers.get('cache-control'), undefined);
          assert.equal(answer.headers.get('expires'), undefined);
        }
        const same = await app.request('/static/a.txt', { 'If-None-Match': '*' });
        assert.match(same.headers.get('cache-control') ?? '', /^public/);
      });
    }
  });

  test('wrong options are refused when the route is registered', () => {
    using tree = new FileTree({ 'a.txt': 'x' });
    const { router } = new web.Application();
    const cases: [string, string | URL, object, string][] = [
      ['/static', tree.path('nothing'), {}, 'AIO_STATIC_DIRECTORY'],
      ['/static', tree.path('a.txt'), {}, 'AIO_STATIC_DIRECTORY'],
      ['/static', '', {}, 'AIO_STATIC_DIRECTORY'],
      ['/static', new URL('http://x/'), {}, 'AIO_STATIC_DIRECTORY'],
      ['static', tree.root, {}, 'AIO_ROUTE_PATH'],
      ['/{x}', tree.root, {}, 'AIO_ROUTE_PATH'],
      ['/static', tree.root, { index: 'a/b' }, 'AIO_FILE_OPTION'],
      ['/static', tree.root, { index: '..' }, 'AIO_FILE_OPTION'],
      ['/static', tree.root, { dotfiles: 'yes' }, 'AIO_FILE_OPTION'],
      ['/static', tree.root, { chunkSize: 1 }, 'AIO_FILE_OPTION'],
      ['/static', tree.root, { maxAge: -1 }, 'AIO_FILE_OPTION'],
      ['/static', tree.root, { showIndex: 1 }, 'AIO_FILE_OPTION'],
      ['/static', tree.root, { precompressed: ['deflate'] }, 'AIO_FILE_OPTION'],
      ['/static', tree.root, { cache: { maxSize: 0 } }, 'AIO_FILE_OPTION'],
      ['/static', tree.root, { cache: { revalidate: Number.NaN } }, 'AIO_FILE_OPTION'],
    ];
    for (const [prefix, directory, options, code] of cases) {
      assert.throws(() => router.addStatic(prefix, directory, options), { code }, JSON.stringify(options));
    }
  });

  test('a file: URL, a prefix with a slash, the root prefix, a table, a name', async () => {
    using tree = new FileTree({ 'a.txt': 'x', 'sub/b.txt': 'y' });
    const routes = new web.RouteTableDef();
    routes.static('/one/', pathToFileURL(tree.root));
    const app = await RunningApp.start([
      ...routes,
      web.static('/', tree.path('sub'), { name: 'files' }),
      web.get('/b.txt/x', () => new web.Response({ text: 'handler' })),
    ]);
    try {
      assert.equal((await app.request('/one/a.txt')).body, 'x');
      assert.equal((await app.request('/b.txt')).body, 'y');
      assert.equal((await app.request('/b.txt/x')).body, 'handler');
      assert.equal((await app.request('/')).status, 403);
      assert.equal((await app.request('//b.txt')).status, 404);
    } finally {
      await app[Symbol.asyncDispose]();
    }
  });

  test('in a sub-application, by its prefix', async () => {
    using tree = new FileTree({ 'sub/index.html': 'INDEX' });
    const admin = new web.Application();
    const files = admin.router.addStatic('/files', tree.root, { index: 'index.html', showIndex: true });
    const app = new web.Application();
    app.addSubapp('/admin', admin);
    const fetch = (path: string): Promise<Response> => app.fetch(new Request(`http://h${path}`));
    assert.equal(await (await fetch('/admin/files/sub/')).text(), 'INDEX');
    assert.equal((await fetch('/admin/files/sub')).headers.get('location'), '/admin/files/sub/');
    assert.match(await (await fetch('/admin/files')).text(), /href="\/admin\/files\/sub\/"/);
    assert.equal(files.urlFor({ filename: 'sub/é.css' }).toString(), '/admin/files/sub/%C3%A9.css');
    assert.equal(files.getInfo()['prefix'], '/admin/files');
  });

  test('app.fetch streams files of every size', async () => {
    const big = Buffer.alloc(1_000_003, 'abcdefg');
    using tree = new FileTree({ 'a.txt': 'hello', 'big.bin': big });
    const app = new web.Application();
    app.addRoutes([web.static('/static', tree.root)]);
    const small = await app.fetch(new Request('http://h/static/a.txt'));
    assert.equal(await small.text(), 'hello');
    const large = await app.fetch(new Request('http://h/static/big.bin'));
    assert.equal(large.headers.get('content-length'), '1000003');
    assert.ok(Buffer.from(await large.arrayBuffer()).equals(big));
    const cancelled = await app.fetch(new Request('http://h/static/big.bin'));
    await cancelled.body?.cancel();
    const head = await app.fetch(new Request('http://h/static/big.bin', { method: 'HEAD' }));
    assert.equal(head.headers.get('content-length'), '1000003');
    for (let turn = 0; turn < 10_000 && (openFilesBelow(tree.base) ?? []).length > 0; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.deepEqual(openFilesBelow(tree.base) ?? [], []);
  });

  test('an answer of app.fetch that nobody reads holds no descriptor', {
    skip: process.platform !== 'linux',
  }, async () => {
    const big = Buffer.alloc(1_000_003, 'abcdefg');
    using tree = new FileTree({ 'big.bin': big, 'middle.bin': big.subarray(0, 100_000) });
    const logger = collectingLogger();
    const app = new web.Application({ logger });
    app.addRoutes([web.static('/static', tree.root)]);
    const ask = (name: string, headers: Record<string, string> = {}): Promise<globalThis.Response> =>
      app.fetch(new Request(`http://h/static/${name}`, { headers }));
    const closed = async (): Promise<void> => {
      for (let turn = 0; turn < 10_000 && openFilesBelow(tree.base)?.length !== 0; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assert.deepEqual(openFilesBelow(tree.base), []);
    };
    const answers = [
      await ask('big.bin'),
      await ask('middle.bin'),
      await ask('big.bin', { Range: 'bytes=0-99999,200000-999999' }),
    ];
    await closed();
    // It is opened again for whoever reads it after all.
    const [whole, middle, parts] = await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    assert.ok(Buffer.from(whole!).equals(big));
    assert.ok(Buffer.from(middle!).equals(big.subarray(0, 100_000)));
    assert.ok(Buffer.from(parts!).includes(big.subarray(200_000, 1_000_000)));
    await closed();
    // What was replaced meanwhile is another file: no answer is made of both.
    const unread = await ask('big.bin');
    await closed();
    tree.write('big.bin', Buffer.alloc(1_000_003, 'x'));
    await assert.rejects(unread.arrayBuffer(), { code: 'AIO_EXCHANGE_ABORTED' });
    assert.match(JSON.stringify(logger), /replaced or changed/);
    await closed();
  });

  test('OPTIONS by setOptionsRoute', async () => {
    using tree = new FileTree({ 'a.txt': 'x' });
    const app = new web.Application();
    app.router
      .addStatic('/static', tree.root)
      .setOptionsRoute(() => new web.Response({ headers: { 'Access-Control-Allow-Origin': '*' } }));
    const answer = await app.fetch(new Request('http://h/static/a.txt', { method: 'OPTIONS' }));
    assert.equal(answer.headers.get('Access-Control-Allow-Origin'), '*');
  });

  test('a middleware sees 404 as an exception and may answer with something else', async () => {
    using tree = new FileTree({ 'a.txt': 'x', 'big.bin': Buffer.alloc(500_000) });
    const page: web.Middleware = async (request, handler) => {
      try {
        await handler(request);
      } catch (error) {
        if (error instanceof web.HTTPNotFound) return new web.Response({ text: 'own page', status: 404 });
        throw error;
      }
      return new web.Response({ text: 'replaced' });
    };
    const app = await RunningApp.start([web.static('/static', tree.root)], [page]);
    try {
      assert.equal((await app.request('/static/none')).body, 'own page');
      assert.equal((await app.request('/static/big.bin')).body, 'replaced');
      assert.deepEqual(openFilesBelow(tree.base) ?? [], []);
    } finally {
      await app[Symbol.asyncDispose]();
    }
  });
});

describe('precompressed siblings', () => {
  const text = 'body { color: red }\n'.repeat(100);
  const files = {
    'a.css': text,
    'a.css.br': brotliCompressSync(text),
    'a.css.gz': gzipSync(text),
    'b.css': text,
    'c.css': text,
    'p.png': 'PNG',
    'p.png.gz': 'never',
  };

  test('are chosen by weights, with a tag of their own, and Vary says so', async () => {
    await withStatic(files, {}, async (app) => {
      for (const [accept, coding] of [
        [undefined, undefined],
        ['gzip', 'gzip'],
        ['gzip, deflate, br, zstd', 'br'],
        ['br;q=0.5, gzip;q=0.9', 'gzip'],
        ['br;q=0, gzip;q=0', undefined],
        ['*', 'br'],
        ['gzip;q=0.5, identity', undefined],
        ['gzipped', undefined],
      ] as const) {
        const headers = accept === undefined ? {} : { 'Accept-Encoding': accept };
        const answer = await app.request('/static/a.css', headers);
        assert.equal(answer.headers.get('content-encoding'), coding, accept ?? 'none');
        assert.equal(answer.headers.get('content-type'), 'text/css; charset=utf-8');
        assert.equal(answer.headers.get('vary'), 'Accept-Encoding');
        const expected =
          coding === undefined ? text : coding === 'br' ? files['a.css.br'] : files['a.css.gz'];
        assert.equal(answer.body, Buffer.from(expected).toString('latin1'));
        const tag = answer.headers.get('etag') ?? '';
        assert.equal(/-(br|gzip)"$/.exec(tag)?.[1], coding);
        assert.equal((await app.request('/static/a.css', { ...headers, 'If-None-Match': tag })).status, 304);
      }
      const plain = await app.request('/static/b.css', { 'Accept-Encoding': 'gzip' });
      assert.equal(plain.headers.get('vary'), undefined);
      const png = await app.request('/static/p.png', { 'Accept-Encoding': 'gzip' });
      assert.equal(png.body, 'PNG');
    });
  });

  test('that are symbolic links, directories or switched off are not sent', async () => {
    await withStatic(files, {}, async (app, tree) => {
      symlinkSync('../secret.txt', tree.path('b.css.gz'));
      mkdirSync(tree.path('c.css.gz'));
      for (const name of ['b.css', 'c.css']) {
        assert.equal((await app.request(`/static/${name}`, { 'Accept-Encoding': 'gzip' })).body, text);
      }
    });
    await withStatic(files, { precompressed: false }, async (app) => {
      assert.equal((await app.request('/static/a.css', { 'Accept-Encoding': 'gzip' })).body, text);
    });
    await withStatic(files, { precompressed: ['gzip', 'br'] }, async (app) => {
      const answer = await app.request('/static/a.css', { 'Accept-Encoding': 'gzip, br' });
      assert.equal(answer.headers.get('content-encoding'), 'gzip');
    });
  });

  test('that vanish leave the file itself', async () => {
    await withStatic(files, {}, async (app, tree) => {
      const ask = () => app.request('/static/a.css', { 'Accept-Encoding': 'gzip' });
      assert.equal((await ask()).headers.get('content-encoding'), 'gzip');
      rmSync(tree.path('a.css.gz'));
      assert.equal((await ask()).body, text);
    });
  });
});

describe('versions', () => {
  const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');

  test('stand in URLs, change with the file, and make it immutable', async () => {
    using tree = new FileTree({ 'a.css': 'one' });
    const app = new web.Application();
    const files = app.router.addStatic('/static', tree.root, { appendVersion: true, maxAge: 60_000 });
    const fetch = (path: string): Promise<Response> => app.fetch(new Request(`http://h${path}`));
    const url = files.urlFor({ filename: 'a.css' }).toString();
    assert.equal(url, `/static/a.css?v=${hash('one')}`);
    const cacheControl = async (path: string) => (await fetch(path)).headers.get('Cache-Control');
    const forever = 'public, max-age=31536000, immutable';
    assert.equal(await cacheControl(url), forever);
    assert.equal(await cacheControl('/static/a.css'), 'public, max-age=60');
    assert.equal(await cacheControl(`/static/a.css?v=${hash('two')}`), 'public, max-age=60');
    assert.equal(await cacheControl('/static/a.css?v=1'), 'public, max-age=60');
    writeFileSync(tree.path('a.css'), 'two');
    utimesSync(tree.path('a.css'), 1, 1);
    assert.equal(await cacheControl(url), 'public, max-age=60');
    assert.equal(await cacheControl(`/static/a.css?v=${hash('two')}`), forever);
  });

  test('only of files that are served', () => {
    using tree = new FileTree({ 'a.css': 'one', '.env': 'x' });
    symlinkSync('../secret.txt', tree.path('link'));
    const files = new web.Application().router.addStatic('/static', tree.root);
    const url = (filename: string): string => files.urlFor({ filename }, { appendVersion: true }).toString();
    assert.match(url('a.css'), /\?v=/);
    assert.equal(files.urlFor({ filename: 'a.css' }).toString(), '/static/a.css');
    for (const name of ['none.css', '.env', 'link', '../secret.txt']) assert.doesNotMatch(url(name), /\?v=/);
    assert.throws(() => files.urlFor({}), { code: 'AIO_URL_PART' });
  });
});

describe('the cache', () => {
  test('serves from memory, notices changes, and keeps its bound', async () => {
    const files = { 'a.css': 'one', 'a.css.gz': gzipSync('one'), 'big.bin': Buffer.alloc(2_000) };
    await withStatic(files, { cache: { revalidate: 0, maxFileSize: 1_000 } }, async (app, tree) => {
      for (let turn = 0; turn < 3; turn++) {
        assert.equal((await app.request('/static/a.css')).body, 'one');
        const coded = await app.request('/static/a.css', { 'Accept-Encoding': 'gzip' });
        assert.equal(coded.headers.get('content-encoding'), 'gzip');
        assert.equal((await app.request('/static/a.css', { Range: 'bytes=1-' })).body, 'ne');
        assert.equal((await app.request('/static/big.bin')).body.length, 2_000);
      }
      writeFileSync(tree.path('a.css'), 'three');
      assert.equal((await app.request('/static/a.css')).body, 'three');
      rmSync(tree.path('a.css'));
      assert.equal((await app.request('/static/a.css')).status, 404);
      assert.deepEqual(openFilesBelow(tree.base) ?? [], []);
    });
  });

  test('a new version with the size and the time of the old one, as archives make them, was never noticed', async () => {
    const options = { cache: { revalidate: 0 }, appendVersion: true };
    using tree = new FileTree({ 'a.html': 'v=1' });
    const app = await RunningApp.start([web.static('/static', tree.root, options)]);
    try {
      const write = (content: string): void => {
        writeFileSync(tree.path('a.html'), content);
        utimesSync(tree.path('a.html'), 1, 1);
      };
      write('v=1');
      const version = createHash('sha256').update('v=1').digest('base64url');
      const ask = async (query = ''): Promise<string[]> => {
        const { body, headers } = await app.request(`/static/a.html${query}`);
        return [body, headers.get('cache-control') ?? ''];
      };
      assert.deepEqual(await ask(), ['v=1', '']);
      assert.deepEqual(await ask(`?v=${version}`), ['v=1', 'public, max-age=31536000, immutable']);
      const { ctimeMs } = statSync(tree.path('a.html'));
      // The clock of file systems ticks every few milliseconds.
      do write('v=2');
      while (statSync(tree.path('a.html')).ctimeMs === ctimeMs);
      assert.deepEqual(await ask(), ['v=2', '']);
      assert.deepEqual(await ask(`?v=${version}`), ['v=2', '']);
    } finally {
      await app[Symbol.asyncDispose]();
    }
  });

  test('stays within its size, and forgets what was not asked for the longest time', () => {
    const cache = new StaticCache({ maxSize: 4_096, revalidate: Number.POSITIVE_INFINITY });
    using tree = new FileTree({});
    const add = (name: string, size: number): void => {
      const file = openNow(tree.write(name, Buffer.alloc(size)));
      const representation = new FileRepresentation(file, 'a', undefined, false, Buffer.alloc(size));
      cache.add(name, name, 'stamp', [], { representation, inode: file.inode, changed: file.changed });
      file.close();
    };
    for (const name of ['a', 'b', 'c', 'd']) add(name, 512);
    assert.equal(cache.size, 4_096);
    assert.ok(cache.fresh('a') !== undefined);
    add('e', 0);
    assert.equal(cache.fresh('b'), undefined);
    assert.ok(cache.fresh('a') !== undefined && cache.fresh('e') !== undefined);
    for (let index = 0; index < 1_000; index++) add(`empty${index}`, 0);
    assert.ok(cache.size <= 4_096);
    add('e', 100);
    assert.ok(cache.size <= 4_096);
  });

  test('holds what stands for a directory as well', async () => {
    for (const revalidate of [0, 60_000]) {
      const options = { cache: { revalidate }, index: ['index.html', 'x.html'] };
      await withStatic({ 'index.html': 'home', 'sub/x.html': 'sub' }, options, async (app) => {
        for (let turn = 0; turn < 3; turn++) {
          assert.equal((await app.request('/static/')).body, 'home');
          assert.equal((await app.request('/static')).headers.get('location'), '/static/');
          assert.equal((await app.request('/static/sub/')).body, 'sub');
          assert.equal((await app.request('/static/sub')).status, 301);
        }
      });
    }
  });

  test('without revalidation the disk is not asked', async () => {
    const options = { cache: { revalidate: Number.POSITIVE_INFINITY } };
    await withStatic({ 'a.txt': 'one' }, options, async (app, tree) => {
      const first = await app.request('/static/a.txt');
      rmSync(tree.path('a.txt'));
      const second = await app.request('/static/a.txt');
      assert.equal(second.body, 'one');
      assert.equal(second.headers.get('etag'), first.headers.get('etag'));
      assert.equal((await app.request('/static/a.txt', {}, 'HEAD')).headers.get('content-length'), '3');
      const tag = first.headers.get('etag') ?? '';
      assert.equal((await app.request('/static/a.txt', { 'If-None-Match': tag })).status, 304);
      assert.match(
        (await app.request('/static/a.txt', { Range: 'bytes=0-0,2-2' })).body,
        /Content-Range: bytes 2-2\/3/,
      );
    });
  });
});
