import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type ClientResponse,
  ClientSession,
  CookieJar,
  type RequestOptions,
} from '../../src/client/index.ts';
import { PostgresServer, withoutPostgres } from '../postgres/postgres-server.ts';
import { RedisServer, redisMissing } from '../redis/redis-server.ts';
import { RunningExample } from './running-example.ts';

/** A page as its reader has it. */
interface Page {
  readonly status: number;
  readonly path: string;
  readonly text: string;
  readonly headers: ClientResponse['headers'];
}

/** Somebody with a browser: it keeps cookies, follows redirects, and sends the hidden fields of the form that it saw last. */
class Visitor implements AsyncDisposable {
  readonly #session = new ClientSession({ cookieJar: new CookieJar({ unsafe: true }) });
  base: string;
  #token = '';

  constructor(base: string) {
    this.base = base;
  }

  async #page(method: string, where: string, options: RequestOptions): Promise<Page> {
    await using response = await this.#session.request(method, this.base + where, options);
    const text = await response.text();
    this.#token = /name="csrf_token" value="([^"]+)"/.exec(text)?.[1] ?? this.#token;
    return { status: response.status, path: response.url.pathname, text, headers: response.headers };
  }

  get(where: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.#page('GET', where, { headers });
  }

  post(
    where: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Page> {
    return this.#page('POST', where, {
      data: new URLSearchParams({ csrf_token: this.#token, ...fields }),
      headers,
    });
  }

  async register(name: string): Promise<void> {
    await this.get('/register');
    const page = await this.post('/register', { name, password: `${name}'s password` });
    assert.equal(page.path, '/', page.text);
    assert.match(page.text, new RegExp(`Welcome, ${name}\\.`));
  }

  /** Writes a note; gives its path. */
  async write(title: string, body: string): Promise<string> {
    await this.get('/notes/new');
    const page = await this.post('/notes/new', { title, body });
    assert.match(page.path, /^\/notes\/[\w-]{12}$/, page.text);
    return page.path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.close();
  }
}

/** Answers of the API. */
async function ask(
  base: string,
  method: string,
  where: string,
  options: RequestOptions = {},
): Promise<{ status: number; json: unknown; headers: ClientResponse['headers'] }> {
  await using session = new ClientSession();
  await using response = await session.request(method, base + where, options);
  const text = await response.text();
  return {
    status: response.status,
    json: text === '' ? undefined : JSON.parse(text),
    headers: response.headers,
  };
}

/** Runs `use` with the site on what it keeps in a folder of its own. */
async function withSite(use: (site: RunningExample) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'notes-test-'));
  try {
    await run(folder, use);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function run(folder: string, use: (site: RunningExample) => Promise<void>): Promise<void> {
  const site = await RunningExample.start('examples/notes/main.ts', '--data', folder);
  try {
    await use(site);
  } finally {
    assert.equal(await site.stop(), 0, site.stderr);
  }
  assert.doesNotMatch(site.stderr, /Error handling|unhandled/i, site.stderr);
}

describe('examples/notes', () => {
  test('register, write, read, edit, delete, log out and in again', async () => {
    await withSite(async ({ url }) => {
      await using ada = new Visitor(url);
      assert.match((await ada.get('/')).text, /Nothing here yet[\s\S]*This is your first visit/);
      await ada.register('ada');
      const where = await ada.write('A <b>note</b>', 'With “text”, http://example.com/x?a=1&b=2 and\nlines');
      const note = await ada.get(where);
      assert.match(note.text, /<h1>A &lt;b&gt;note&lt;\/b&gt;<\/h1>/);
      assert.match(note.text, /<a href="http:\/\/example\.com\/x\?a=1&amp;b=2" rel="nofollow noopener ugc"/);
      assert.match(note.text, /ada · <time datetime="20/);

      const form = await ada.get(`${where}/edit`);
      assert.match(form.text, /value="A &lt;b&gt;note&lt;\/b&gt;"/);
      const changed = await ada.post(`${where}/edit`, { title: 'Changed', body: 'Other text' });
      assert.equal(changed.path, where);
      assert.match(changed.text, /Your note was changed\.[\s\S]*<h1>Changed<\/h1>[\s\S]*Other text/);
      const home = await ada.get('/');
      assert.match(home.text, /Changed[\s\S]*Your last visit was on <time/);
      assert.doesNotMatch(home.text, /Your note was changed/, 'a message is shown once');

      assert.equal((await ada.post('/logout')).path, '/');
      assert.equal((await ada.get('/notes/new')).path, '/login', 'who is not logged in is asked to');
      const wrong = await ada.post('/login', { name: 'ada', password: 'guess guess guess' });
      assert.equal(wrong.status, 422);
      assert.match(wrong.text, /do not belong together[\s\S]*value="ada"/);
      const back = await ada.post('/login', {
        name: 'ADA',
        password: "ada's password",
        next: '/notes/new',
        remember: 'yes',
      });
      assert.equal(back.path, '/notes/new');
      assert.match(back.text, /Welcome back, ada\./);

      await ada.get(where);
      const gone = await ada.post(`${where}/delete`);
      assert.equal(gone.path, '/');
      assert.match(gone.text, /“Changed” was deleted\./);
      const missing = await ada.get(where);
      assert.equal(missing.status, 404);
      assert.match(missing.text, /There is no such note\./);
    });
  });

  test('pages of ten, newest first', async () => {
    await withSite(async ({ url }) => {
      await using ada = new Visitor(url);
      await ada.register('ada');
      for (let number = 1; number <= 12; number++) await ada.write(`Note ${number}!`, 'text');
      const first = await ada.get('/');
      assert.match(first.text, /Note 12![\s\S]*Note 3![\s\S]*Page 1 of 2[\s\S]*rel="next" href="\/\?page=2"/);
      assert.doesNotMatch(first.text, /Note 2!|rel="prev"/);
      assert.match(
        (await ada.get('/?page=2')).text,
        /Note 2![\s\S]*Note 1![\s\S]*rel="prev" href="\/\?page=1"/,
      );
      for (const page of ['99', '0', '-1', 'x', '1e309', '']) {
        assert.equal((await ada.get(`/?page=${page}`)).status, 200, page);
      }
    });
  });

  test('the JSON API', async () => {
    await withSite(async ({ url }) => {
      await using ada = new Visitor(url);
      await ada.register('ada');
      await using eve = new Visitor(url);
      await eve.register('eve');
      const tokenOf = async (name: string): Promise<Record<string, string>> => {
        const { status, json } = await ask(url, 'POST', '/api/token', {
          json: { name, password: `${name}'s password` },
        });
        assert.equal(status, 201);
        return { Authorization: `Bearer ${(json as { token: string }).token}` };
      };
      const [adas, eves] = [await tokenOf('ada'), await tokenOf('eve')];

      assert.deepEqual((await ask(url, 'GET', '/api/notes')).json, {
        notes: [],
        total: 0,
        page: 1,
        pages: 1,
      });
      const made = await ask(url, 'POST', '/api/notes', {
        headers: adas,
        json: { title: 'Hello', body: 'from a program' },
      });
      assert.equal(made.status, 201);
      const note = made.json as Record<string, string>;
      assert.deepEqual(Object.keys(note), ['id', 'title', 'body', 'owner', 'created', 'updated']);
      const where = made.headers.get('Location') ?? '';
      assert.equal(where, `/api/notes/${note['id']}`);
      assert.deepEqual((await ask(url, 'GET', where)).json, note);
      const put = await ask(url, 'PUT', where, { headers: adas, json: { title: 'Hello', body: 'changed' } });
      assert.equal(put.status, 200);
      assert.equal((put.json as { body: string }).body, 'changed');

      const error = (status: number, message: string, problems?: object): object => ({
        error: { status, message, ...(problems && { problems }) },
      });
      const failures: readonly [string, string, RequestOptions, object][] = [
        ['GET', '/api/notes/nothing', {}, error(404, 'There is no such note.')],
        ['GET', '/api/nothing', {}, error(404, 'There is nothing here.')],
        ['PATCH', where, {}, error(405, 'This cannot be done here.')],
        ['POST', '/api/notes', { json: {} }, error(401, 'Log in, or send a token.')],
        [
          'POST',
          '/api/notes',
          { json: {}, headers: { Authorization: 'Bearer notes_AAAAAAAAAAAAAAAAAAAAAAAA' } },
          error(401, 'Log in, or send a token.'),
        ],
        [
          'PUT',
          where,
          { headers: eves, json: { title: 'x', body: 'y' } },
          error(403, 'This is not yours to change.'),
        ],
        ['DELETE', where, { headers: eves }, error(403, 'This is not yours to change.')],
        [
          'POST',
          '/api/notes',
          { headers: adas, data: 'title=x' },
          error(415, 'Send JSON, with Content-Type: application/json.'),
        ],
        ['POST', '/api/notes', { headers: adas, json: [1] }, error(400, 'The JSON must be an object.')],
        [
          'POST',
          '/api/notes',
          { headers: adas, json: { title: 7, body: ['x'] } },
          error(422, 'A note needs a title. A note needs some text.', {
            title: 'A note needs a title.',
            body: 'A note needs some text.',
          }),
        ],
        [
          'POST',
          '/api/token',
          { json: { name: 'ada', password: 'guess guess' } },
          error(403, 'Name and password do not belong together.'),
        ],
        [
          'POST',
          '/api/token',
          { json: { name: 'nobody', password: 'guess guess' } },
          error(403, 'Name and password do not belong together.'),
        ],
        // The limit of attempts looks at the name first: what is no text was an error 500 there.
        [
          'POST',
          '/api/token',
          { json: { name: { toString: 1, valueOf: 1 }, password: 'guess guess' } },
          error(422, 'A name and a password are needed.', { name: 'A name and a password are needed.' }),
        ],
      ];
      for (const [method, path, options, expected] of failures) {
        const { status, json } = await ask(url, method, path, options);
        assert.deepEqual(json, expected, `${method} ${path}`);
        assert.equal(status, (expected as { error: { status: number } }).error.status);
      }
      const broken = await ask(url, 'POST', '/api/notes', {
        headers: { ...adas, 'Content-Type': 'application/json' },
        data: '{',
      });
      assert.equal(broken.status, 400);

      assert.equal((await ask(url, 'DELETE', where, { headers: adas })).status, 204);
      assert.equal((await ask(url, 'GET', where)).status, 404);
      await tokenOf('ada');
      assert.equal(
        (await ask(url, 'POST', '/api/notes', { headers: adas, json: { title: 'x', body: 'y' } })).status,
        401,
        'the old token ended',
      );
    });
  });

  test('many at once: every note is there, once', async () => {
    await withSite(async ({ url }) => {
      await using ada = new Visitor(url);
      await ada.register('ada');
      await ada.get('/account');
      const page = await ada.post('/account/token');
      const token = /class="token">(notes_[\w-]+)</.exec(page.text)?.[1] ?? '';
      await using session = new ClientSession({ headers: { Authorization: `Bearer ${token}` } });
      const numbers = Array.from({ length: 60 }, (_, index) => index);
      await Promise.all(
        numbers.map(async (number) => {
          await using response = await session.post(`${url}/api/notes`, {
            json: { title: `${number}`, body: 'x' },
          });
          assert.equal(response.status, 201);
        }),
      );
      const titles: string[] = [];
      for (let number = 1; number <= 6; number++) {
        const { json } = await ask(url, 'GET', `/api/notes?page=${number}`);
        titles.push(...(json as { notes: { title: string }[] }).notes.map(({ title }) => title));
      }
      assert.deepEqual(
        titles.map(Number).sort((a, b) => a - b),
        numbers,
      );
    });
  });

  test('a restart keeps notes and sessions; other sessions can be ended', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'notes-test-'));
    try {
      await using ada = new Visitor('');
      let where = '';
      await run(folder, async ({ url }) => {
        ada.base = url;
        await ada.register('ada');
        where = await ada.write('Kept', 'over a restart');
      });
      await run(folder, async ({ url }) => {
        ada.base = url;
        assert.match((await ada.get(where)).text, /<h1>Kept<\/h1>[\s\S]*>Edit</, 'still logged in');
        await using phone = new Visitor(url);
        await phone.get('/login');
        await phone.post('/login', { name: 'ada', password: "ada's password" });
        assert.equal((await phone.get('/account')).path, '/account');
        assert.equal((await ada.get('/account')).text.match(/Since <time/g)?.length, 2);
        const alone = await ada.post('/account/logout-others');
        assert.match(alone.text, /You are logged out everywhere else\./);
        assert.equal(alone.text.match(/Since <time/g)?.length, 1);
        assert.equal((await phone.get('/account')).path, '/login');
      });
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  test('the same on PostgreSQL and Redis', { skip: withoutPostgres || redisMissing }, async () => {
    await using postgres = await PostgresServer.start();
    await using redis = await RedisServer.start();
    for (const environment of [
      { DATABASE_URL: postgres.url },
      { DATABASE_URL: postgres.url, REDIS_URL: redis.url },
    ]) {
      Object.assign(process.env, environment);
      const name = 'REDIS_URL' in environment ? 'bob' : 'ada';
      try {
        await withSite(async ({ url }) => {
          await using visitor = new Visitor(url);
          await visitor.register(name);
          const where = await visitor.write('On a server', 'text');
          await visitor.get(`${where}/edit`);
          assert.match(
            (await visitor.post(`${where}/edit`, { title: 'Twice', body: 'text' })).text,
            /<h1>Twice<\/h1>/,
          );
          await visitor.get('/register');
          const taken = await visitor.post('/register', { name, password: 'long enough password' });
          assert.equal(
            taken.status,
            422,
            'the page asks the database who is logged in, after a statement failed',
          );
          assert.match((await visitor.get('/account')).text, /this browser/);
          const { json } = await ask(url, 'POST', '/api/token', {
            json: { name, password: `${name}'s password` },
          });
          const headers = { Authorization: `Bearer ${(json as { token: string }).token}` };
          assert.equal((await ask(url, 'DELETE', `/api${where}`, { headers })).status, 204);
          assert.equal((await visitor.get(where)).status, 404);
          await visitor.get('/');
          await visitor.post('/logout');
          assert.equal((await visitor.get('/account')).path, '/login');
          if (!('REDIS_URL' in environment)) return;
          await redis.kill();
          assert.equal((await visitor.get('/account')).status, 503);
          assert.equal((await ask(url, 'GET', '/api/notes')).status, 200, 'what needs no session goes on');
        });
      } finally {
        for (const variable of Object.keys(environment)) delete process.env[variable];
      }
    }
  });
});

describe('examples/notes, one site for all', () => {
  let folder: string;
  let site: RunningExample;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'notes-test-'));
    site = await RunningExample.start('examples/notes/main.ts', '--data', folder);
  });

  after(async () => {
    assert.equal(await site.stop(), 0, site.stderr);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    assert.doesNotMatch(site.stderr, /Error handling|unhandled/i, site.stderr);
  });

  test('what is wrong in a form is said, and nothing that was typed is lost', async () => {
    const { url } = site;
    await using ada = new Visitor(url);
    await ada.get('/register');
    const short = await ada.post('/register', { name: 'a<', password: 'short' });
    assert.equal(short.status, 422);
    assert.match(short.text, /value="a&lt;"[\s\S]*A name has 2 to 32[\s\S]*at least ten characters/);
    assert.doesNotMatch(short.text, /value="short"/, 'but a password');
    await ada.register('ada');
    await using other = new Visitor(url);
    await other.get('/register');
    const taken = await other.post('/register', { name: 'Ada', password: 'long enough password' });
    assert.equal(taken.status, 422);
    assert.match(taken.text, /This name is taken\./);
    await ada.get('/notes/new');
    const empty = await ada.post('/notes/new', { title: '', body: '\nkept </textarea><script>' });
    assert.equal(empty.status, 422);
    assert.match(empty.text, /A note needs a title\.[\s\S]*kept &lt;\/textarea&gt;&lt;script&gt;/);
    const long = await ada.post('/notes/new', { title: 'x'.repeat(121), body: 'y'.repeat(10_001) });
    assert.match(long.text, /at most 120 characters[\s\S]*at most 10,000 characters/);
    assert.equal((await ada.post('/notes/new', { title: 'x', body: 'y'.repeat(200_000) })).status, 413);
  });

  test('somebody else’s note can be read, and not changed', async () => {
    const { url } = site;
    await using ada = new Visitor(url);
    await using eve = new Visitor(url);
    await ada.register('bea');
    await eve.register('mallory');
    const where = await ada.write('Mine', 'my text');
    const seen = await eve.get(where);
    assert.equal(seen.status, 200);
    assert.doesNotMatch(seen.text, />Edit<|>Delete</);
    assert.equal((await eve.get(`${where}/edit`)).status, 403);
    assert.equal((await eve.post(`${where}/edit`, { title: 'Hers', body: 'now' })).status, 403);
    assert.equal((await eve.post(`${where}/delete`)).status, 403);
    assert.match((await ada.get(where)).text, /<h1>Mine<\/h1>/);
  });

  test('a forged form is refused', async () => {
    const { url } = site;
    await using ada = new Visitor(url);
    await ada.register('carol');
    const where = await ada.write('Mine', 'my text');
    await ada.get(where);
    const forged: readonly [string, Record<string, string>, Record<string, string>][] = [
      ['another site', {}, { Origin: 'https://evil.example' }],
      [
        'another site, as browsers say it',
        {},
        { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
      ],
      ['nowhere', {}, { Origin: 'null' }],
      ['no origin and no token', { csrf_token: '' }, {}],
      ['no origin and a made-up token', { csrf_token: 'A'.repeat(86) }, {}],
    ];
    for (const [what, fields, headers] of forged) {
      const answer = await ada.post(`${where}/delete`, fields, headers);
      assert.equal(answer.status, 403, what);
      assert.match(answer.text, /This request could be forged/);
    }
    const own = await ada.post(`${where}/delete`, { csrf_token: '' }, { Origin: url });
    assert.match(own.text, /“Mine” was deleted/, 'a page of ours needs no token');
  });

  test('passwords cannot be tried without end', async () => {
    const { url } = site;
    await using eve = new Visitor(url);
    await eve.get('/login');
    // All at once: the quota grows back by one every six seconds, which is what a slow machine takes for a few passwords.
    const begun = performance.now();
    let refused = (): void => {};
    const isRefused = new Promise<void>((resolve) => {
      refused = resolve;
    });
    const answers = Promise.all(
      Array.from({ length: 13 }, async (_, attempt) => {
        const guess = { name: 'somebody', password: `guess number ${attempt}` };
        const { status, headers, json } = await ask(url, 'POST', '/api/token', { json: guess });
        if (status === 429) {
          refused();
          assert.ok(Number(headers.get('Retry-After')) >= 1);
          assert.deepEqual(json, {
            error: { status, message: 'Too many attempts. Wait a little and try again.' },
          });
        } else assert.equal(status, 403);
        return status;
      }),
    );
    await Promise.race([isRefused, answers]);
    const page = await eve.post('/login', { name: 'Somebody', password: 'another guess' });
    const tried = (await answers).filter((status) => status === 403).length;
    const grown = Math.ceil((performance.now() - begun) / 6_000);
    assert.ok(tried >= 10 && tried <= 10 + grown, `${tried} of 13 in ${grown * 6} s`);
    assert.equal(page.status, 429, 'the same name on the page');
    assert.match(page.text, /Too many attempts\./);
  });

  test('every answer is careful, and pages can be kept by nobody', async () => {
    const { url } = site;
    await using ada = new Visitor(url);
    const home = await ada.get('/');
    const policy = home.headers.get('Content-Security-Policy') ?? '';
    const nonce = /<script nonce="([\w-]+)">/.exec(home.text)?.[1];
    assert.ok(nonce !== undefined && policy.includes(`script-src 'self' 'nonce-${nonce}'`), policy);
    assert.equal(home.headers.get('Cache-Control'), 'no-store');
    const style = /href="(\/static\/style\.css\?v=[\w-]+)"/.exec(home.text)?.[1] ?? '';
    const css = await ada.get(style);
    assert.equal(css.headers.get('Cache-Control'), 'public, max-age=31536000, immutable');
    assert.equal(css.headers.has('Set-Cookie'), false);
    for (const where of [style, '/nowhere', '/api/notes', '/api/nowhere']) {
      const { headers } = await ada.get(where);
      assert.equal(headers.get('X-Content-Type-Options'), 'nosniff', where);
      assert.ok(headers.has('Content-Security-Policy'), where);
    }
    assert.equal((await ada.get('/login?next=//evil.example')).text.includes('evil.example'), false);
  });
});
