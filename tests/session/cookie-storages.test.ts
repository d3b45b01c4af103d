import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as session from '../../src/session/index.ts';
import * as web from '../../src/web/index.ts';
import { Visitor } from './visitor.ts';

const quiet: web.Logger = { info() {}, warn() {}, error() {} };
const minute = 60_000;
/** What a test of time begins at. */
const start = 1_700_000_000_000;

interface Fixture {
  readonly app: web.Application;
  readonly visitor: Visitor;
}

function site(storage: session.CookieStorage, options?: session.SessionOptions, logger = quiet): Fixture {
  const app = new web.Application({ logger });
  session.setup(app, storage, options);
  app.router.addGet('/put', async (request) => {
    const data = await session.getSession(request);
    for (const [key, value] of request.query) data.set(key, value);
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/show', async (request) =>
    web.jsonResponse((await session.getSession(request)).toJSON()),
  );
  app.router.addGet('/logout', async (request) => {
    (await session.getSession(request)).invalidate();
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/login', async (request) => {
    const data = await session.getSession(request);
    data.renew();
    data.setUser('ann');
    return new web.Response({ text: String(data.identity) });
  });
  app.router.addGet('/big', async (request) => {
    const data = await session.getSession(request);
    data.set('small', 1).set('cart', 'x'.repeat(3000)).set('history', 'y'.repeat(2000));
    return new web.Response({ text: 'ok' });
  });
  app.router.addGet('/stream', async (request) => {
    const data = await session.getSession(request);
    data.set('before', 1);
    const response = new web.StreamResponse();
    await response.prepare(request);
    let code = '';
    try {
      data.set('after', 1);
    } catch (error) {
      code = (error as { code: string }).code;
    }
    await response.write(Buffer.from(code));
    return response;
  });
  return { app, visitor: new Visitor(app) };
}

const key = randomBytes(32);
const kinds: Record<string, () => session.CookieStorage> = {
  'EncryptedCookieStorage (AES-256-GCM)': () => new session.EncryptedCookieStorage(key),
  'EncryptedCookieStorage (Fernet)': () => new session.EncryptedCookieStorage(key, { format: 'fernet' }),
  SimpleCookieStorage: () => new session.SimpleCookieStorage(),
};

for (const [name, make] of Object.entries(kinds)) {
  describe(name, () => {
    test('keeps a session in its cookie', async () => {
      const { visitor } = site(make());
      assert.deepEqual((await visitor.get('/show')).setCookies, []);
      const { setCookies, headers } = await visitor.get('/put?name=%C3%A4nn&quote=%22%3B');
      assert.equal(setCookies.length, 1);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('vary'), 'Cookie');
      const shown = await visitor.get('/show');
      assert.equal(shown.text, '{"name":"änn","quote":"\\";"}');
      assert.deepEqual(shown.setCookies, []);
    });

    test('forgets it at invalidate()', async () => {
      const { visitor } = site(make());
      assert.deepEqual((await visitor.get('/logout')).setCookies, []);
      await visitor.get('/put?a=1');
      assert.match((await visitor.get('/logout')).setCookies[0]!, /Max-Age=0/);
      assert.equal(visitor.cookie, undefined);
    });

    test('is too late after the head', async () => {
      const { visitor } = site(make());
      assert.equal((await visitor.get('/stream')).text, 'AIO_SESSION_TOO_LATE');
      assert.equal((await visitor.get('/show')).text, '{"before":1}');
    });

    test('says which values are too large for a cookie', async () => {
      const told: string[] = [];
      const logger = { ...quiet, error: (message: string) => void told.push(message) };
      const { visitor } = site(make(), {}, logger);
      assert.equal((await visitor.get('/big')).status, 500);
      assert.match(told.join('\n'), /'cart' \(3002 bytes\), 'history' \(2002 bytes\), 'small' \(1 bytes\)/);
      assert.match(told.join('\n'), /AIO_SESSION_COOKIE_SIZE/);
      assert.equal(visitor.cookie, undefined);
    });

    test('ends at its absolute age', async (t) => {
      t.mock.timers.enable({ apis: ['Date'], now: start });
      const { visitor } = site(make(), { idle: 10 * minute, absolute: 30 * minute });
      await visitor.get('/put?a=1');
      for (let count = 0; count < 5; count++) {
        t.mock.timers.tick(5 * minute);
        assert.equal((await visitor.get('/show')).text, '{"a":"1"}');
      }
      t.mock.timers.tick(5 * minute);
      assert.equal((await visitor.get('/show')).text, '{}');
    });

    test('of an earlier epoch is out', async () => {
      let epoch = 1;
      const { visitor } = site(make(), { epochOf: async () => epoch });
      await visitor.get('/login');
      await visitor.get('/put?a=1');
      assert.equal((await visitor.get('/show')).text, '{"a":"1"}');
      epoch++;
      assert.equal((await visitor.get('/show')).text, '{}');
    });

    test('any text as a cookie opens nothing and breaks nothing', async () => {
      const storage = make();
      const context = { cookieName: 'AIOHTTP_SESSION', now: Date.now() };
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
          const opened = storage.open(text, context);
          return opened === undefined || name === 'SimpleCookieStorage';
        }),
        { seed: 7, numRuns: 300 },
      );
      const { visitor } = site(storage);
      for (const text of [
        '',
        'x',
        '%',
        '%7B',
        '{',
        '"',
        'gAAAAA',
        'AQ',
        'AQAAAA',
        'A'.repeat(3000),
        'gAAAAA'.repeat(100),
      ]) {
        visitor.cookies.set('AIOHTTP_SESSION', text);
        const { status, text: shown } = await visitor.get('/show');
        assert.deepEqual([status, shown], [200, '{}'], text);
      }
    });
  });
}

describe('encrypted cookies', () => {
  for (const format of ['gcm', 'fernet'] as const) {
    test(`${format}: a changed character anywhere opens nothing`, () => {
      const storage = new session.EncryptedCookieStorage(key, { format });
      const context = { cookieName: 'c', now: start };
      const sealed = storage.seal('{"created":1,"session":{}}', context, Number.POSITIVE_INFINITY);
      assert.ok(storage.open(sealed, context));
      for (let at = 0; at < sealed.length; at++) {
        for (const other of ['A', 'B', '_', '=', '!', '']) {
          if (sealed[at] === other) continue;
          const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
          assert.equal(storage.open(changed, context), undefined, `${at} ${other}`);
        }
      }
    });

    test(`${format}: ends when it was not used for its idle time, also as a copy of an old cookie`, async (t) => {
      t.mock.timers.enable({ apis: ['Date'], now: start });
      const { visitor, app } = site(new session.EncryptedCookieStorage(key, { format }), {
        idle: 10 * minute,
      });
      await visitor.get('/put?a=1');
      const replay = visitor.copy(app);
      for (let count = 0; count < 5; count++) {
        t.mock.timers.tick(9 * minute);
        const { text, setCookies } = await visitor.get('/show');
        assert.equal(text, '{"a":"1"}');
        assert.equal(setCookies.length, 1, 'it is sealed anew as it is used');
      }
      assert.equal((await replay.get('/show')).text, '{}');
      t.mock.timers.tick(11 * minute);
      assert.equal((await visitor.get('/show')).text, '{}');
    });

    test(`${format}: one from the future opens nothing`, () => {
      const storage = new session.EncryptedCookieStorage(key, { format });
      const sealed = storage.seal('{}', { cookieName: 'c', now: start + 120_000 }, Number.POSITIVE_INFINITY);
      assert.equal(storage.open(sealed, { cookieName: 'c', now: start }), undefined);
      assert.ok(storage.open(sealed, { cookieName: 'c', now: start + 70_000 }));
    });

    test(`${format}: an old key opens, the present one seals`, async () => {
      const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
      const before = site(new session.EncryptedCookieStorage(oldKey, { format }));
      await before.visitor.get('/put?a=1');
      const now = site(new session.EncryptedCookieStorage([newKey, oldKey], { format }));
      const visitor = before.visitor.copy(now.app);
      const { text, setCookies } = await visitor.get('/show');
      assert.equal(text, '{"a":"1"}');
      assert.equal(setCookies.length, 1);
      const later = site(new session.EncryptedCookieStorage([newKey], { format }));
      assert.equal((await visitor.copy(later.app).get('/show')).text, '{"a":"1"}');
      assert.deepEqual((await visitor.copy(later.app).get('/show')).setCookies, []);
      assert.equal((await before.visitor.copy(later.app).get('/show')).text, '{}');
    });
  }

  test('the value of one cookie is none of another', async () => {
    const storage = new session.EncryptedCookieStorage(key);
    const sealed = storage.seal('{}', { cookieName: 'one', now: start }, Number.POSITIVE_INFINITY);
    assert.equal(storage.open(sealed, { cookieName: 'other', now: start }), undefined);
  });

  test('says when it ends', () => {
    const storage = new session.EncryptedCookieStorage(key);
    const sealed = storage.seal('{}', { cookieName: 'c', now: start }, start + 60_000);
    assert.ok(storage.open(sealed, { cookieName: 'c', now: start + 59_000 }));
    assert.equal(storage.open(sealed, { cookieName: 'c', now: start + 60_000 }), undefined);
  });

  test('never look the same twice', () => {
    const storage = new session.EncryptedCookieStorage(key);
    const context = { cookieName: 'c', now: start };
    const sealed = new Set(Array.from({ length: 100 }, () => storage.seal('{}', context, start + 1000)));
    assert.equal(sealed.size, 100);
  });

  test('keys come as bytes, text or KeyObject', () => {
    const context = { cookieName: 'c', now: start };
    const sealed = new session.EncryptedCookieStorage(key).seal('{}', context, Number.POSITIVE_INFINITY);
    const same: session.CookieKey[] = [
      new Uint8Array(key),
      key.toString('base64'),
      key.toString('base64url'),
      key.toString('hex'),
      createSecretKey(key),
    ];
    for (const form of same) assert.ok(new session.EncryptedCookieStorage(form).open(sealed, context));
    const wrong: unknown[] = [
      '',
      'short',
      key.subarray(1),
      Buffer.alloc(33),
      7,
      undefined,
      'x'.repeat(64),
      createSecretKey(Buffer.alloc(16)),
    ];
    for (const form of wrong) {
      assert.throws(() => new session.EncryptedCookieStorage(form as string), {
        code: 'AIO_SESSION_SETTING',
      });
    }
    assert.throws(() => new session.EncryptedCookieStorage([]), { code: 'AIO_SESSION_SETTING' });
    assert.throws(() => new session.EncryptedCookieStorage(key, { format: 'x' as 'gcm' }), {
      code: 'AIO_SESSION_SETTING',
    });
  });

  test('reads what aiohttp-session wrote, and writes what it reads', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: start + 5000 });
    // json.dumps and cryptography.fernet.Fernet of Python, with the key 00 01 02 … 1f.
    const pythonKey = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
    const pythonCookie =
      'gAAAAABlU_EAZGVmZ2hpamtsbW5vcHFycxwujXD6Aby2-BhToM-0doUp-mYAyPiNxSnIKivklq2rj8QbCBtIOFIbDIeQh9OlsHi2A2ZqaP9dGoIz9k7C7veG6l5DtFxk6p6-AveayJuJbaR2h3wO0vt8x8sGjB9RfiZ2DNc6KrZNXN2EFjSq9rQ=';
    for (const format of ['gcm', 'fernet'] as const) {
      const { visitor } = site(new session.EncryptedCookieStorage(pythonKey, { format }));
      visitor.cookies.set('AIOHTTP_SESSION', `"${pythonCookie}"`);
      const { text, setCookies } = await visitor.get('/show');
      assert.deepEqual(JSON.parse(text), { user: 'ann', n: 1, ä: [1, 2] });
      assert.equal(setCookies.length, format === 'gcm' ? 1 : 0, 'what is in another format is sealed anew');
      await visitor.get('/put?b=2');
      assert.match(visitor.cookie!, format === 'gcm' ? /^A[Q-Za-f]/ : /^"gAAAAA/);
      assert.equal(JSON.parse((await visitor.get('/show')).text).b, '2');
    }
  });
});

describe('SimpleCookieStorage', () => {
  test('warns once that it is for development', async () => {
    const told: string[] = [];
    const logger = { ...quiet, warn: (message: string) => void told.push(message) };
    const { visitor } = site(new session.SimpleCookieStorage(), {}, logger);
    await visitor.get('/show');
    await visitor.get('/show');
    assert.equal(told.length, 1);
    assert.match(told[0]!, /for development/);
  });

  test('reads what aiohttp-session wrote', async () => {
    const { visitor } = site(new session.SimpleCookieStorage());
    const created = Math.floor(Date.now() / 1000);
    const json = `{"created": ${created}, "session": {"a": 1}}`;
    visitor.cookies.set('AIOHTTP_SESSION', `"${json.replaceAll('"', '\\"').replaceAll(',', '\\054')}"`);
    assert.equal((await visitor.get('/show')).text, '{"a":1}');
  });
});
