import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { ETag, evaluateConditions, ifRangeHolds } from '../../src/message/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import { makeRequest, split } from './answer.ts';
import { rawRequest } from './raw-request.ts';

const MODIFIED = Date.UTC(2026, 0, 2, 3, 4, 5);
const AT = 'Fri, 02 Jan 2026 03:04:05 GMT';
const BEFORE = 'Fri, 02 Jan 2026 03:04:04 GMT';
const AFTER = 'Fri, 02 Jan 2026 03:04:06 GMT';

describe('evaluateConditions', () => {
  const strong = { etag: new ETag('a'), lastModified: MODIFIED };
  const weak = { etag: new ETag('a', true), lastModified: MODIFIED };
  const undated = { etag: new ETag('a') };
  const cases: [
    string,
    Parameters<typeof evaluateConditions>[1],
    Parameters<typeof evaluateConditions>[2],
    string,
  ][] = [
    ['GET', {}, strong, 'proceed'],
    // Step 1: If-Match, strong comparison.
    ['PUT', { ifMatch: '"a"' }, strong, 'proceed'],
    ['PUT', { ifMatch: '"b", "a"' }, strong, 'proceed'],
    ['PUT', { ifMatch: '"b"' }, strong, 'failed'],
    ['PUT', { ifMatch: 'W/"a"' }, strong, 'failed'],
    ['PUT', { ifMatch: '"a"' }, weak, 'failed'],
    ['PUT', { ifMatch: '*' }, strong, 'proceed'],
    ['PUT', { ifMatch: '*' }, undefined, 'failed'],
    ['PUT', { ifMatch: '"a"' }, undefined, 'failed'],
    ['PUT', { ifMatch: 'a' }, strong, 'failed'],
    // It stands before the dates.
    ['PUT', { ifMatch: '"a"', ifUnmodifiedSince: BEFORE }, strong, 'proceed'],
    // Step 2.
    ['PUT', { ifUnmodifiedSince: AT }, strong, 'proceed'],
    ['PUT', { ifUnmodifiedSince: BEFORE }, strong, 'failed'],
    ['PUT', { ifUnmodifiedSince: 'yesterday' }, strong, 'proceed'],
    ['PUT', { ifUnmodifiedSince: BEFORE }, undated, 'proceed'],
    // Step 3: weak comparison.
    ['GET', { ifNoneMatch: '"a"' }, strong, 'notModified'],
    ['HEAD', { ifNoneMatch: 'W/"a"' }, strong, 'notModified'],
    ['GET', { ifNoneMatch: '"a"' }, weak, 'notModified'],
    ['GET', { ifNoneMatch: '"b"' }, strong, 'proceed'],
    ['GET', { ifNoneMatch: '*' }, strong, 'notModified'],
    ['PUT', { ifNoneMatch: '*' }, strong, 'failed'],
    ['PUT', { ifNoneMatch: '*' }, undefined, 'proceed'],
    ['POST', { ifNoneMatch: '"a"' }, strong, 'failed'],
    // It stands before If-Modified-Since.
    ['GET', { ifNoneMatch: '"b"', ifModifiedSince: AFTER }, strong, 'proceed'],
    // Step 4.
    ['GET', { ifModifiedSince: AT }, strong, 'notModified'],
    ['GET', { ifModifiedSince: AFTER }, strong, 'notModified'],
    ['GET', { ifModifiedSince: BEFORE }, strong, 'proceed'],
    ['GET', { ifModifiedSince: '2026-01-02' }, strong, 'proceed'],
    ['GET', { ifModifiedSince: AT }, { lastModified: MODIFIED + 1 }, 'proceed'],
    ['GET', { ifModifiedSince: AT }, undated, 'proceed'],
    ['POST', { ifModifiedSince: AT }, strong, 'proceed'],
    ['GET', { ifMatch: '"a"', ifNoneMatch: '"a"' }, strong, 'notModified'],
  ];
  for (const [method, fields, current, expected] of cases) {
    test(`${method} ${JSON.stringify(fields)} of ${JSON.stringify(current)}: ${expected}`, () => {
      assert.equal(evaluateConditions(method, fields, current), expected);
    });
  }

  test('If-Range', () => {
    assert.equal(ifRangeHolds(undefined, strong), true);
    assert.equal(ifRangeHolds('"a"', strong), true);
    assert.equal(ifRangeHolds('"b"', strong), false);
    assert.equal(ifRangeHolds('W/"a"', weak), false);
    assert.equal(ifRangeHolds(AT, strong), true);
    assert.equal(ifRangeHolds(BEFORE, strong), false);
    assert.equal(ifRangeHolds('nonsense', strong), false);
  });
});

async function ask(app: web.Application, fields: string, path = '/', method = 'GET') {
  await using server = await new TestServer(app).start();
  const answer = split(
    await rawRequest(
      server.port,
      `${method} ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${fields}\r\n`,
    ),
  );
  const field = (name: string): string | undefined =>
    answer.lines.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 2);
  return { ...answer, status: Number(answer.lines[0]!.split(' ')[1]), field };
}

function serving(make: () => web.StreamResponse, options?: web.ConditionalOptions): web.Application {
  const app = new web.Application({ middlewares: [web.conditionalMiddleware(options)] });
  app.addRoutes([web.route('*', '/', make)]);
  return app;
}

function tagged(): web.Response {
  const response = new web.Response({
    text: 'body',
    headers: { 'Cache-Control': 'max-age=60', 'Content-Language': 'en', Vary: 'Cookie' },
  });
  response.etag = 'v1';
  response.lastModified = MODIFIED;
  return response;
}

describe('conditionalMiddleware', () => {
  const cases: [string, number][] = [
    ['', 200],
    ['If-None-Match: "v1"\r\n', 304],
    ['If-None-Match: W/"v1"\r\n', 304],
    ['If-None-Match: "v0"\r\nIf-None-Match: "v1"\r\n', 304],
    ['If-None-Match: *\r\n', 304],
    ['If-None-Match: "v2"\r\n', 200],
    ['If-None-Match: v1\r\n', 200],
    [`If-Modified-Since: ${AT}\r\n`, 304],
    [`If-Modified-Since: ${BEFORE}\r\n`, 200],
    ['If-Match: "v1"\r\n', 200],
    ['If-Match: "v2"\r\n', 412],
    [`If-Unmodified-Since: ${BEFORE}\r\n`, 412],
  ];
  for (const [fields, expected] of cases) {
    for (const method of ['GET', 'HEAD']) {
      test(`${method} ${JSON.stringify(fields)} is ${expected}`, async () => {
        const { status, body, field } = await ask(serving(tagged), fields, '/', method);
        assert.equal(status, expected);
        if (expected === 304) {
          assert.equal(body, '');
          assert.equal(field('etag'), '"v1"');
          assert.equal(field('last-modified'), AT);
          assert.equal(field('cache-control'), 'max-age=60');
          assert.equal(field('vary'), 'Cookie');
          for (const name of ['content-type', 'content-length', 'content-language', 'transfer-encoding'])
            assert.equal(field(name), undefined, name);
        }
        if (expected === 200 && method === 'GET') assert.equal(body, 'body');
      });
    }
  }

  test('only answers with status 200 to GET and HEAD are looked at', async () => {
    const failed = serving(() => {
      const response = tagged();
      response.setStatus(404);
      return response;
    });
    assert.equal((await ask(failed, 'If-None-Match: "v1"\r\n')).status, 404);
    assert.equal((await ask(serving(tagged), 'If-None-Match: "v1"\r\n', '/', 'POST')).status, 200);
  });

  test('a stream that the handler prepared', async () => {
    const app = new web.Application({ middlewares: [web.conditionalMiddleware()] });
    app.router.addGet('/', async (request) => {
      const response = new web.StreamResponse({ headers: { ETag: '"v1"' } });
      await response.prepare(request);
      await response.write(Buffer.from('piece'));
      return response;
    });
    const { status, body, field } = await ask(app, 'If-None-Match: "v1"\r\n');
    assert.deepEqual([status, body, field('transfer-encoding')], [304, '', undefined]);
  });

  test('signals see the answer that is sent', async () => {
    const app = serving(tagged);
    const seen: number[] = [];
    app.onResponsePrepare.append((_, response) => {
      seen.push(response.status);
      response.headers.set('X-Seen', '1');
    });
    const { status, field } = await ask(app, 'If-None-Match: "v1"\r\n');
    assert.deepEqual([status, seen, field('x-seen'), field('content-length')], [304, [304], '1', undefined]);
  });

  test('without validators nothing happens, unless an ETag is made', async () => {
    const plain = () => new web.Response({ text: 'body' });
    assert.equal((await ask(serving(plain), 'If-None-Match: *\r\n')).status, 200);
    const first = await ask(serving(plain, { autoETag: true }), '');
    const tag = first.field('etag');
    assert.match(tag ?? '', /^W\/"[\w+/]{27}"$/);
    assert.equal((await ask(serving(plain, { autoETag: true }), `If-None-Match: ${tag}\r\n`)).status, 304);
    const other = serving(() => new web.Response({ text: 'other' }), { autoETag: true });
    assert.equal((await ask(other, `If-None-Match: ${tag}\r\n`)).status, 200);
  });

  test('together with compression, the tag is the same in 200 and 304', async () => {
    const app = (): web.Application => {
      const made = new web.Application({
        middlewares: [web.compressionMiddleware(), web.conditionalMiddleware()],
      });
      made.router.addGet('/', () => new web.Response({ text: 'x'.repeat(2000), headers: { ETag: '"v1"' } }));
      return made;
    };
    const zip = 'Accept-Encoding: gzip\r\n';
    const full = await ask(app(), zip);
    assert.equal(full.field('etag'), 'W/"v1"');
    const same = await ask(app(), `${zip}If-None-Match: W/"v1"\r\n`);
    assert.deepEqual(
      [same.status, same.field('etag'), same.field('vary'), same.field('content-encoding'), same.body],
      [304, 'W/"v1"', 'Accept-Encoding', undefined, ''],
    );
    // A client that got the strong one with a body as it is may still insist on it.
    assert.equal((await ask(app(), `${zip}If-Match: "v1"\r\n`)).status, 200);
  });

  test('a 304 of the handler names the tag that the client has', async () => {
    const app = (): web.Application => {
      const made = new web.Application({ middlewares: [web.compressionMiddleware()] });
      made.router.addGet('/', (request) => {
        web.checkPreconditions(request, { etag: 'v1' });
        throw new Error('not reached');
      });
      return made;
    };
    const weak = await ask(app(), 'If-None-Match: W/"v1"\r\n');
    assert.deepEqual(
      [weak.status, weak.field('etag'), weak.field('vary')],
      [304, 'W/"v1"', 'Accept-Encoding'],
    );
    const strong = await ask(app(), 'If-None-Match: "v1"\r\n');
    assert.deepEqual(
      [strong.status, strong.field('etag'), strong.field('vary')],
      [304, '"v1"', 'Accept-Encoding'],
    );
  });

  test('a source that is not sent is released', async () => {
    let released = false;
    async function* source(): AsyncGenerator<string> {
      try {
        yield 'x';
      } finally {
        released = true;
      }
    }
    const body = source();
    const cancel = body.return.bind(body);
    body.return = (value) => {
      released = true;
      return cancel(value);
    };
    const app = serving(() => new web.Response({ body, headers: { ETag: '"v1"' } }));
    assert.equal((await ask(app, 'If-None-Match: "v1"\r\n')).status, 304);
    assert.equal(released, true);
  });
});

describe('checkPreconditions', () => {
  test('before a change is made', async () => {
    let version = 1;
    const app = new web.Application();
    app.router.addPut('/', (request) => {
      web.checkPreconditions(request, { etag: `v${version}` });
      version++;
      return new web.Response({ status: 204 });
    });
    await using server = await new TestServer(app).start();
    const put = async (fields: Record<string, string>): Promise<number> =>
      (await fetch(`http://127.0.0.1:${server.port}/`, { method: 'PUT', headers: fields })).status;
    assert.equal(await put({ 'If-Match': '"v1"' }), 204);
    assert.equal(await put({ 'If-Match': '"v1"' }), 412);
    assert.equal(version, 2);
    assert.equal(await put({ 'If-None-Match': '*' }), 412);
    assert.equal(await put({}), 204);
  });

  test('when nothing is there yet', async () => {
    const app = new web.Application();
    app.router.addPut('/', (request) => {
      web.checkPreconditions(request, undefined);
      return new web.Response({ status: 201 });
    });
    assert.equal((await ask(app, 'If-Match: *\r\n', '/', 'PUT')).status, 412);
    assert.equal((await ask(app, 'If-None-Match: *\r\n', '/', 'PUT')).status, 201);
  });

  test('a tag in quotes of its own matched nothing, in silence', () => {
    const request = makeRequest('/', { method: 'PUT' });
    assert.throws(() => web.checkPreconditions(request, { etag: '"v7"' }), { code: 'AIO_ETAG' });
    web.checkPreconditions(request, { etag: 'v7' });
  });

  test('304 carries the validators', async () => {
    const app = new web.Application();
    app.router.addGet('/', (request) => {
      web.checkPreconditions(request, { etag: new ETag('v1', true), lastModified: new Date(MODIFIED - 500) });
      throw new Error('not reached');
    });
    const { status, field } = await ask(app, 'If-None-Match: "v1"\r\n');
    assert.deepEqual([status, field('etag'), field('last-modified')], [304, 'W/"v1"', AT]);
  });
});
