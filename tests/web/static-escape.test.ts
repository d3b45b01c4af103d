// Ways out of the directory of static files, as bytes on the wire.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { web } from '../../src/index.ts';
import { openFailure } from '../../src/web/file-open.ts';
import { isDotfile, isOtherSpelling, isServableName } from '../../src/web/static-name.ts';
import { FileTree, openFilesBelow, RunningApp, type WireAnswer, withStatic } from './static-site.ts';

const isWindows = process.platform === 'win32';
const files = { 'a.txt': 'INSIDE', 'sub/b.txt': 'INSIDE', 'sub/deep/c.txt': 'INSIDE' };

const attacks = [
  '/static/../secret.txt',
  '/static/../../secret.txt',
  '/static/sub/../../secret.txt',
  '/static/sub/../a.txt',
  '/static/./a.txt',
  '/static/sub/.',
  '/static/..',
  '/static/../',
  '/static/.',
  '/static/%2e%2e/secret.txt',
  '/static/%2E%2E%2Fsecret.txt',
  '/static/.%2e/secret.txt',
  '/static/..%2fsecret.txt',
  '/static/..%2Fsecret.txt',
  '/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '/static/..%252fsecret.txt',
  '/static/%252e%252e/secret.txt',
  '/static/..%c0%afsecret.txt',
  '/static/%c0%ae%c0%ae/secret.txt',
  '/static/..%5csecret.txt',
  '/static/..\\secret.txt',
  '/static/\\..\\secret.txt',
  '/static/sub\\..\\..\\secret.txt',
  '/static/%5c%5chost%5cshare',
  '/static/\\\\host\\share',
  '/static//etc/passwd',
  '/static///etc/passwd',
  '/static/%2fetc/passwd',
  '/static/%2Fetc%2Fpasswd',
  '/static/sub//b.txt',
  '/static/a.txt%00',
  '/static/a.txt%00.html',
  '/static/%00',
  '/static/a.txt%0a',
  '/static/a.txt%0d%0aX:%20y',
  '/static/a.txt%7f',
  '/static/....//secret.txt',
  '/static/..;/secret.txt',
  '/static/~root/.bashrc',
  '/static/C:%5cwindows%5cwin.ini',
  '/static/C:/windows/win.ini',
  '/static/file:///etc/passwd',
  '/static/a.txt::$DATA',
  '/static/a.txt/',
  '/static/a.txt/..',
  '/static/a.txt/.',
  '/static/a.txt%20',
  '/static/a.txt.',
  '/static/A.TXT',
  '/static/\u00ff\u00fe',
  '/static/%ff%fe',
  '/static/%E2%80%AE',
  '/static/NUL',
  '/static/con.txt',
  '/static/COM1',
  '/static/%uff0e%uff0e/secret.txt',
  '/static/．．/secret.txt',
  '/..//static/../secret.txt',
  'http://h/static/../secret.txt',
];

describe('no way out of the root', () => {
  test(`${attacks.length} targets get nothing, each with links followed and not`, async () => {
    for (const followSymlinks of [false, true]) {
      const options = { followSymlinks, showIndex: true, dotfiles: 'allow' as const };
      await withStatic(files, options, async (app, tree) => {
        for (const target of attacks) {
          const answer = await app.request(Buffer.from(target).toString('latin1'));
          assert.ok([400, 404].includes(answer.status), `${target}: ${answer.status}`);
          assert.doesNotMatch(answer.body, /SECRET|INSIDE|root:|Index of/, target);
        }
        assert.deepEqual(openFilesBelow(tree.base) ?? [], []);
      });
    }
  });

  test('with the prefix / a second slash is no other host', async () => {
    using tree = new FileTree({ 'sub/index.html': 'x' });
    const app = await RunningApp.start([web.static('/', tree.root, { index: 'index.html' })]);
    try {
      for (const target of ['//evil.example/sub', '//sub', '/\\sub', '/%2fsub', '///evil.example/..']) {
        const answer = await app.request(target);
        assert.equal(answer.status, 404, target);
        assert.equal(answer.headers.get('location'), undefined);
      }
      assert.equal((await app.request('/sub')).headers.get('location'), '/sub/');
    } finally {
      await app[Symbol.asyncDispose]();
    }
  });

  test('symbolic links: inside yes, outside no, outside by option', { skip: isWindows }, async () => {
    const link = (tree: FileTree): void => {
      symlinkSync('a.txt', tree.path('in.txt'));
      symlinkSync('sub', tree.path('indir'));
      symlinkSync('../secret.txt', tree.path('out.txt'));
      symlinkSync(tree.base, tree.path('outdir'));
      symlinkSync('/proc', tree.path('proc'));
      symlinkSync('../nothing', tree.path('dangling'));
      symlinkSync('loop', tree.path('loop'));
      symlinkSync('../root/a.txt', tree.path('roundabout.txt'));
    };
    await withStatic(files, { showIndex: true }, async (app, tree) => {
      link(tree);
      // A directory whose path begins with that of the root.
      mkdirSync(`${tree.root}-other`);
      writeFileSync(`${tree.root}-other/x.txt`, 'SECRET');
      symlinkSync(`${tree.root}-other`, tree.path('other'));
      for (const name of ['in.txt', 'indir/b.txt', 'roundabout.txt']) {
        assert.equal((await app.request(`/static/${name}`)).body, 'INSIDE', name);
      }
      for (const name of [
        'out.txt',
        'outdir',
        'outdir/',
        'outdir/secret.txt',
        'outdir/none.txt',
        'outdir/root/a.txt/x',
        'other/x.txt',
        'proc/self/environ',
        'dangling',
        'loop',
        'loop/x',
      ]) {
        assert.equal((await app.request(`/static/${name}`)).status, 404, name);
      }
    });
    await withStatic(files, { followSymlinks: true }, async (app, tree) => {
      link(tree);
      assert.equal((await app.request('/static/out.txt')).body, 'SECRET');
      assert.equal((await app.request('/static/outdir/secret.txt')).body, 'SECRET');
      assert.equal((await app.request('/static/loop')).status, 404);
      assert.equal((await app.request('/static/outdir/../secret.txt')).status, 404);
    });
  });

  test('a link that changes its target all the time never leads out', { skip: isWindows }, async () => {
    await withStatic({ 'in/f.txt': 'INSIDE' }, {}, async (app, tree) => {
      const outside = path.join(tree.base, 'outside');
      mkdirSync(outside);
      writeFileSync(path.join(outside, 'f.txt'), 'SECRET');
      let turns = 0;
      let running = true;
      const flip = (): void => {
        if (!running) return;
        const next = tree.path('.next');
        symlinkSync(turns++ % 2 === 0 ? 'in' : outside, next);
        renameSync(next, tree.path('flip'));
        setImmediate(flip);
      };
      flip();
      const seen = new Set<number>();
      for (let turn = 0; turn < 200; turn++) {
        const answer = await app.request('/static/flip/f.txt');
        assert.doesNotMatch(answer.body, /SECRET/);
        assert.ok(answer.status === 404 || answer.body === 'INSIDE');
        seen.add(answer.status);
      }
      running = false;
      await new Promise(setImmediate);
      assert.ok(turns > 0 && seen.size > 0);
    });
  });

  test('pipes, sockets and devices are refused without waiting', { skip: isWindows }, async () => {
    await withStatic(files, { showIndex: true, followSymlinks: true }, async (app, tree) => {
      assert.equal(spawnSync('sh', ['-c', `mkfifo '${tree.path('pipe')}'`]).status, 0);
      symlinkSync('/dev/zero', tree.path('zero'));
      symlinkSync('/dev/null', tree.path('null'));
      const server = createServer();
      const socketPath = path.join(mkdtempSync(path.join(tmpdir(), 'aio-')), 's');
      await new Promise<void>((resolve) => server.listen(socketPath, resolve));
      symlinkSync(socketPath, tree.path('socket'));
      try {
        for (const name of ['pipe', 'zero', 'null']) {
          assert.equal((await app.request(`/static/${name}`)).status, 403, name);
        }
        assert.equal((await app.request('/static/socket')).status, 404);
        assert.doesNotMatch((await app.request('/static/')).body, />(pipe|zero|null|socket)</);
      } finally {
        await new Promise((resolve) => server.close(resolve));
        rmSync(path.dirname(socketPath), { recursive: true });
      }
    });
  });

  test('what may not be read is 403 inside, and 404 outside', { skip: isWindows }, async () => {
    await withStatic({ ...files, 'locked/x.txt': 'x', 'none.txt': 'x' }, {}, async (app, tree) => {
      const { base } = tree;
      mkdirSync(path.join(base, 'vault'));
      writeFileSync(path.join(base, 'vault/x.txt'), 'SECRET');
      symlinkSync('../secret.txt', tree.path('out.txt'));
      symlinkSync('../vault', tree.path('vault'));
      symlinkSync('../vault/x.txt', tree.path('vaulted.txt'));
      chmodSync(base, 0o755);
      chmodSync(tree.path('none.txt'), 0);
      chmodSync(tree.path('locked'), 0);
      chmodSync(path.join(base, 'vault'), 0);
      chmodSync(path.join(base, 'secret.txt'), 0);
      // Nobody may be refused anything while they are root.
      const isRoot = process.geteuid?.() === 0;
      const asNobody = async (name: string): Promise<WireAnswer> => {
        if (isRoot) process.seteuid?.(65_534);
        try {
          return await app.request(`/static/${name}`);
        } finally {
          if (isRoot) process.seteuid?.(0);
        }
      };
      try {
        assert.equal((await asNobody('a.txt')).status, 200);
        for (const name of ['none.txt', 'locked', 'locked/x.txt', 'locked/no.txt']) {
          assert.equal((await asNobody(name)).status, 403, name);
        }
        for (const name of ['out.txt', 'vault', 'vault/x.txt', 'vault/no.txt', 'vaulted.txt']) {
          assert.equal((await asNobody(name)).status, 404, name);
        }
      } finally {
        chmodSync(tree.path('locked'), 0o755);
        chmodSync(path.join(base, 'vault'), 0o755);
      }
    });
  });

  test('whatever is asked for, what is served lies inside', async () => {
    using tree = new FileTree(files);
    if (!isWindows) symlinkSync('..', tree.path('up'));
    const app = new web.Application();
    app.addRoutes([web.static('/static', tree.root, { showIndex: true, dotfiles: 'allow' })]);
    const part = fc.constantFrom(
      ...['..', '.', '/', '\\', '%2e', '%2f', '%5c', '%00', '%25', 'a.txt', 'b.txt', 'sub', 'up', 'root'],
      ...['secret.txt', '//', 'C:', '~', ' ', '%20', 'é', '%C3%A9', '\u0001', '%c0%ae', ';', '?', '#'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        const answer = await app.fetch(new Request(`http://h/static/${parts.join('')}`));
        const body = await answer.text();
        assert.doesNotMatch(body, /SECRET|secret/, parts.join(''));
        assert.ok([200, 301, 403, 404].includes(answer.status));
        if (answer.status === 200) assert.match(body, /^(INSIDE$|<!DOCTYPE html>)/);
      }),
      { seed: 7, numRuns: 400 },
    );
    assert.deepEqual(openFilesBelow(tree.base) ?? [], []);
  });
});

test('what a client is told of errors of the disk', () => {
  const failure = (code: string): unknown => openFailure(Object.assign(new Error('x'), { code }));
  for (const code of ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EINVAL', 'ENXIO']) {
    assert.ok(failure(code) instanceof web.HTTPNotFound, code);
  }
  for (const code of ['EACCES', 'EPERM']) assert.ok(failure(code) instanceof web.HTTPForbidden, code);
  for (const code of ['EMFILE', 'ENFILE'])
    assert.ok(failure(code) instanceof web.HTTPServiceUnavailable, code);
  const broken = Object.assign(new Error('x'), { code: 'EIO' });
  assert.equal(openFailure(broken), broken);
  assert.equal(openFailure(undefined), undefined);
});

describe('isServableName', () => {
  test('names that no system may be asked for', () => {
    for (const name of ['', '.', '..', 'a/', '/a', 'a//b', 'a/./b', 'a/../b', 'a\\b', 'a\0', 'a\n', '\x7f']) {
      assert.equal(isServableName(name, 'linux'), false, JSON.stringify(name));
    }
    for (const name of ['a', '...', 'a.b', '..a', 'a..', '.a', 'a b', 'é', 'con', 'a:b', 'a.', 'NUL.txt']) {
      assert.equal(isServableName(name, 'linux'), true, name);
    }
  });

  test('names that mean something else on Windows', () => {
    for (const name of [
      ...['C:', 'C:/x', 'a.txt::$DATA', 'a:b', 'a<b', 'a?b', 'a*b', 'a|b', 'a"b'],
      ...['a.', 'a ', 'sub./b', 'sub /b', 'a.txt...'],
      ...[
        'con',
        'CON',
        'nul',
        'NUL.txt',
        'aux.tar.gz',
        'sub/prn',
        'com1',
        'COM9.js',
        'lpt1',
        'com¹',
        'con .txt',
      ],
      ...['conin$', 'CONOUT$', 'clock$', 'con/x'],
    ]) {
      assert.equal(isServableName(name, 'win32'), false, name);
    }
    for (const name of ['a.txt', 'console', 'com', 'com10', 'nulls.txt', 'aconb', 'lpt', 'auxiliary.js']) {
      assert.equal(isServableName(name, 'win32'), true, name);
    }
  });

  test('dotfiles', () => {
    for (const name of ['.env', 'a/.git/b', '.well-known/.x', '.well-knownx'])
      assert.equal(isDotfile(name), true, name);
    for (const name of ['a.b', 'a/b.c', '.well-known', '.well-known/acme', 'a.'])
      assert.equal(isDotfile(name), false, name);
  });

  test('other spellings', () => {
    assert.equal(isOtherSpelling('/r/A.txt', '/r/a.txt'), true);
    assert.equal(isOtherSpelling('/r/e\u0301', '/r/\u00e9'), true);
    assert.equal(isOtherSpelling('/r/a', '/r/a'), false);
    assert.equal(isOtherSpelling('/r/link', '/r/target'), false);
  });
});
