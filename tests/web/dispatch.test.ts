import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { asyncio, web } from '../../src/index.ts';
import { TestServer, testRequest } from '../../src/testing/index.ts';
import { collectingLogger } from './collecting-logger.ts';
import { rawRequest } from './raw-request.ts';

const { Application, Response } = web;

const HTML_PAGE =
  '<html><head><title>500 Internal Server Error</title></head><body>\n<h1>500 Internal Server Error</h1>\n' +
  'Server got itself in trouble\n</body></html>\n';

function appOf(handler: web.Handler, logger: web.Logger = collectingLogger()): web.Application {
  const app = new Application({ logger });
  app.addRoutes([web.route('*', '/{tail:.*}', handler)]);
  return app;
}

describe('errors of a handler', () => {
  for (const [kind, handler] of [
    [
      'thrown',
      () => {
        throw new Error('boom-secret-4711');
      },
    ],
    ['rejected', () => Promise.reject(new Error('boom-secret-4711'))],
  ] as const) {
    test(`${kind}: the client learns nothing, the log gets the stack once`, async () => {
      const logger = collectingLogger();
      const app = appOf(handler, logger);
      const response = await testRequest(app, '/x?token=1');
      assert.equal(response.status, 500);
      assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.equal(await response.text(), '500 Internal Server Error\n\nServer got itself in trouble');
      assert.equal(logger.errors.length, 1);
      assert.match(
        logger.errors[0] ?? '',
        /^Error handling GET \/x\?token=1\nError: boom-secret-4711\n {4}at /,
      );
      await app.cleanup();
    });
  }

  test('HTML for those who accept it', async () => {
    const app = appOf(() => {
      throw new Error('<script>');
    });
    const response = await testRequest(app, '/', { headers: { accept: 'text/html,application/xhtml+xml' } });
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    const page = await response.text();
    assert.equal(page, HTML_PAGE);
    assert.equal(page.length, 145);
    await app.cleanup();
  });

  test('what is no Error is an error as well', async () => {
    const logger = collectingLogger();
    const app = appOf(() => {
      throw undefined;
    }, logger);
    assert.equal((await testRequest(app, '/')).status, 500);
    assert.match(logger.errors[0] ?? '', /Error handling GET \/\nundefined/);
    await app.cleanup();
  });

  test('a TimeoutError is 504, ours and that of AbortSignal.timeout', async () => {
    for (const error of [new asyncio.TimeoutError(), new DOMException('late', 'TimeoutError')]) {
      const app = appOf(() => Promise.reject(error));
      const response = await testRequest(app, '/');
      assert.equal(response.status, 504);
      assert.equal(response.headers.get('content-type'), 'text/plain');
      assert.equal(await response.text(), '');
      await app.cleanup();
    }
  });

  test('a log line cannot be forged by a request', async () => {
    const logger = collectingLogger();
    const app = appOf(() => {
      throw new Error('x');
    }, logger);
    await testRequest(app, '/"quoted"\u0085');
    assert.doesNotMatch(logger.errors[0]?.split('\n')[0] ?? '', /[^\\]"|\u0085/);
    await app.cleanup();
  });

  test('HTTP exceptions are answers, thrown or returned, with their headers and cookies', async () => {
    const logger = collectingLogger();
    const make = () => {
      const exception = new web.HTTPServiceUnavailable({ headers: { 'Retry-After': '3' } });
      exception.setCookie('seen', '1');
      return exception;
    };
    const app = new Application({ logger });
    app.addRoutes([
      web.get('/thrown', () => {
        throw make();
      }),
      web.get('/rejected', async () => {
        throw make();
      }),
      web.get('/returned', () => make()),
      web.get('/redirect', () => {
        throw new web.HTTPFound('/thrown');
      }),
    ]);
    for (const path of ['/thrown', '/rejected', '/returned']) {
      const response = await testRequest(app, path);
      assert.equal(response.status, 503);
      assert.equal(response.headers.get('retry-after'), '3');
      assert.deepEqual(response.headers.getSetCookie(), ['seen=1; Path=/']);
      assert.equal(await response.text(), '503: Service Unavailable');
    }
    const redirect = await testRequest(app, '/redirect');
    assert.deepEqual([redirect.status, redirect.headers.get('location')], [302, '/thrown']);
    assert.deepEqual(logger.errors, []);
    await app.cleanup();
  });
});

describe('results that are no response', () => {
  for (const [what, value, text] of [
    ['nothing', undefined, /returned nothing \(undefined\)\. Is a return statement missing\?/],
    ['null', null, /returned null/],
    ['text', 'hello', /returned a value of type string\. Return a web\.Response/],
    ['an object', { a: 1 }, /returned a value of type Object/],
    ['a function', () => {}, /returned a function/],
  ] as const) {
    for (const wrap of [(v: unknown) => v, (v: unknown) => Promise.resolve(v)]) {
      test(`${what}${wrap(1) === 1 ? '' : ', promised'}: 500, and a log entry that names handler and route`, async () => {
        const logger = collectingLogger();
        const app = new Application({ logger });
        const careless = () => wrap(value) as never;
        app.addRoutes([web.post('/items/{id}', careless)]);
        const response = await testRequest(app, '/items/7', { method: 'POST' });
        assert.equal(response.status, 500);
        assert.equal(await response.text(), '500: Internal Server Error');
        assert.equal(logger.errors.length, 1);
        assert.match(
          logger.errors[0] ?? '',
          /HandlerResultError: Handler careless of POST \/items\/\{id\} returned /,
        );
        assert.match(logger.errors[0] ?? '', text);
        await app.cleanup();
      });
    }
  }
});

describe('failures while an answer is made', () => {
  test('a response that cannot be sent is a 500', async () => {
    const logger = collectingLogger();
    const app = appOf(() => {
      const response = new Response();
      response.headers.set('X-Bad', 'a\r\nb: c');
      return response;
    }, logger);
    await using server = await new TestServer(app).start();
    assert.equal((await server.fetch('/')).status, 500);
    assert.equal(logger.errors.length, 1);
  });

  test('onResponsePrepare that throws gives a 500, and a cut when it always does', async () => {
    const logger = collectingLogger();
    let fails = 1;
    const app = appOf(() => new Response({ text: 'ok' }), logger);
    app.onResponsePrepare.append(() => {
      if (fails-- > 0) throw new Error('prepare');
    });
    assert.equal((await testRequest(app, '/')).status, 500);
    assert.equal((await testRequest(app, '/')).status, 200);
    fails = 9;
    await assert.rejects(testRequest(app, '/'));
    assert.equal(logger.errors.length, 3);
    await app.cleanup();
  });

  test('an exception behind the head cuts the connection and writes no second head', async () => {
    for (const make of [() => new Error('late'), () => new web.HTTPNotFound()]) {
      const logger = collectingLogger();
      const app = appOf(async (request) => {
        const response = new web.StreamResponse();
        await response.prepare(request);
        await response.write(Buffer.from('begin'));
        throw make();
      }, logger);
      await using server = await new TestServer(app).start();
      const answer = await rawRequest(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
      assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
      assert.ok(answer.endsWith('5\r\nbegin\r\n'), answer);
      assert.equal(logger.errors.length, 1);
      assert.match(logger.errors[0] ?? '', /after the head of the answer was sent/);
    }
  });

  test('another response than the one that was begun cuts the connection', async () => {
    const logger = collectingLogger();
    const app = appOf(async (request) => {
      const response = new web.StreamResponse();
      await response.prepare(request);
      await response.write(Buffer.from('begin'));
      return new Response({ text: 'other' });
    }, logger);
    await using server = await new TestServer(app).start();
    const answer = await rawRequest(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
    assert.ok(!answer.includes('other'));
    assert.equal(logger.errors.length, 1);
  });

  test('a response that was sent before is refused, not sent to somebody else', async () => {
    const logger = collectingLogger();
    const shared = new Response({ text: 'shared' });
    const app = appOf(() => shared, logger);
    assert.equal((await testRequest(app, '/')).status, 200);
    assert.equal((await testRequest(app, '/')).status, 500);
    assert.match(logger.errors[0] ?? '', /Make a new response for every request/);
    await app.cleanup();
  });
});

describe('on a connection', () => {
  test('a 500 closes it, an HTTP exception and a returned nothing do not', async () => {
    const app = new Application({ logger: collectingLogger() });
    app.addRoutes([
      web.get('/boom', () => {
        throw new Error('boom');
      }),
      web.get('/gone', () => {
        throw new web.HTTPGone();
      }),
      web.get('/nothing', (() => {}) as never),
    ]);
    await using server = await new TestServer(app).start();
    const boom = await rawRequest(
      server.port,
      'GET /boom HTTP/1.1\r\nHost: a\r\n\r\nGET /gone HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    assert.match(boom, /^HTTP\/1\.1 500 Internal Server Error\r\n/);
    assert.match(boom, /\r\nConnection: close\r\n/i);
    assert.doesNotMatch(boom, /410/);
    const gone = await rawRequest(
      server.port,
      'GET /nothing HTTP/1.1\r\nHost: a\r\n\r\nGET /gone HTTP/1.1\r\nHost: a\r\n\r\nGET /gone HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    assert.match(gone, /^HTTP\/1\.1 500 /);
    assert.equal(gone.match(/HTTP\/1\.1 410 Gone/g)?.length, 2);
  });

  test('what cannot be parsed goes through the root middlewares', async () => {
    const logger = collectingLogger();
    const seen: unknown[] = [];
    const app = new Application({
      logger,
      middlewares: [
        async (request, handler) => {
          const { httpException } = request.match;
          seen.push(httpException?.status, request.preHandlerError === httpException, httpException?.cause);
          return handler(request);
        },
      ],
    });
    app.onResponsePrepare.append((_request, response) => response.headers.set('X-Prepared', 'yes'));
    app.addRoutes([web.get('/', () => new Response())]);
    await using server = await new TestServer(app).start();
    const answer = await rawRequest(server.port, 'GET / HTTP/1.1\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.match(answer, /X-Prepared: yes/);
    assert.match(answer, /Missing 'Host' header in request\.$/);
    assert.equal(seen[0], 400);
    assert.equal(seen[1], true);
    assert.match(String(seen[2]), /ProtocolError: Missing 'Host'/);
    assert.deepEqual(logger.errors, []);
    assert.match(logger.warnings[0] ?? '', /^Bad request from 127\.0\.0\.1: Missing 'Host'/);
  });

  test('a middleware may answer what cannot be parsed, and then nothing is logged', async () => {
    const logger = collectingLogger();
    const app = new Application({
      logger,
      middlewares: [
        async (request, handler) => {
          try {
            return await handler(request);
          } catch (error) {
            if (request.preHandlerError === undefined) throw error;
            return web.jsonResponse({ error: 'malformed' }, { status: request.preHandlerError.status });
          }
        },
      ],
    });
    await using server = await new TestServer(app).start();
    const answer = await rawRequest(server.port, 'GET / HTTP/9.9\r\nHost: a\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 505 /);
    assert.match(answer, /\{"error":"malformed"\}$/);
    assert.deepEqual(logger.warnings, []);
  });

  test('a body that breaks the protocol is the fault of the client', async () => {
    const logger = collectingLogger();
    const app = appOf(async (request) => new Response({ text: await request.text() }), logger);
    await using server = await new TestServer(app).start();
    const answer = await rawRequest(server.port, [
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'zz\r\n',
    ]);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /\r\nConnection: close\r\n/i);
    assert.deepEqual(logger.errors, []);
  });

  test('answers of synchronous handlers to pipelined requests keep their order', async () => {
    const app = appOf((request) => new Response({ text: request.path }));
    await using server = await new TestServer(app).start();
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    const text = paths
      .map(
        (path, index) =>
          `GET ${path} HTTP/1.1\r\nHost: a\r\n${index === 19 ? 'Connection: close\r\n' : ''}\r\n`,
      )
      .join('');
    const answer = await rawRequest(server.port, text);
    assert.deepEqual(
      [...answer.matchAll(/\r\n\r\n(\/\d+)/g)].map((match) => match[1]),
      paths,
    );
  });
});

describe('Expect', () => {
  const app = (): web.Application => {
    const made = new Application({ logger: collectingLogger() });
    made.addRoutes([
      web.post('/', async (request) => new Response({ text: await request.text() })),
      web.post('/custom', () => new Response({ text: 'handler' }), {
        expectHandler: async (request) => {
          if (request.headers.get('x-deny') !== undefined) throw new web.HTTPForbidden();
          return request.headers.get('x-answer') === undefined
            ? undefined
            : new Response({ text: 'expect handler' });
        },
      }),
    ]);
    return made;
  };
  const post = (path: string, fields: string) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n${fields}\r\nhi`;

  for (const [name, request, pattern] of [
    [
      '100-continue is answered',
      post('/', 'Expect: 100-Continue\r\n'),
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhi$/,
    ],
    [
      'another expectation is refused',
      post('/', 'Expect: spam\r\n'),
      /^HTTP\/1\.1 417 Expectation Failed\r\n/,
    ],
    [
      'a 404 is told behind the 100',
      post('/none', 'Expect: 100-continue\r\n'),
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 404 /,
    ],
    [
      'HTTP/1.0 has no Expect',
      post('/', 'Expect: spam\r\n').replace('HTTP/1.1', 'HTTP/1.0'),
      /^HTTP\/1\.[01] 200 OK\r\n[\s\S]*\r\n\r\nhi$/,
    ],
    [
      'a handler of the route decides',
      post('/custom', 'Expect: anything\r\n'),
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhandler$/,
    ],
    ['and may answer', post('/custom', 'Expect: anything\r\nX-Answer: 1\r\n'), /\r\n\r\nexpect handler$/],
    ['or refuse', post('/custom', 'Expect: anything\r\nX-Deny: 1\r\n'), /^HTTP\/1\.1 403 Forbidden\r\n/],
  ] as const) {
    test(name, async () => {
      await using server = await new TestServer(app()).start();
      const end = request.indexOf('\r\n\r\n') + 4;
      const waits = pattern.source.includes('100 Continue');
      const pieces = [request.slice(0, end), request.slice(end)];
      assert.match(await rawRequest(server.port, pieces, waits ? '100 Continue' : undefined), pattern);
    });
  }
});

describe('the client leaves', () => {
  async function leave(options: { handlerCancellation?: boolean }): Promise<string[]> {
    const log: string[] = [];
    const logger = collectingLogger();
    let done: () => void = () => {};
    const finished = new Promise<void>((resolve) => {
      done = resolve;
    });
    let entered: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const app = appOf(async (request) => {
      const left = new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
      try {
        entered();
        // Either the cancellation ends this wait, or the departure of the client does.
        await asyncio.waitFor(left, 10_000);
        log.push('finished');
        return new Response({ text: 'nobody is there' });
      } catch (error) {
        log.push(asyncio.isCancelled(error) ? 'cancelled' : `failed ${error}`);
        throw error;
      } finally {
        done();
      }
    }, logger);
    await using server = await new TestServer(app, options).start();
    const client = connect(server.port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await begun;
    client.resetAndDestroy();
    await finished;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(logger.errors, []);
    return log;
  }

  test('its handler runs to its end, and request.signal aborts', async () => {
    assert.deepEqual(await leave({}), ['finished']);
  });

  test('with handlerCancellation the handler is cancelled', async () => {
    assert.deepEqual(await leave({ handlerCancellation: true }), ['cancelled']);
  });

  test('with handlerCancellation answers are as without', async () => {
    const app = appOf(async (request) => {
      assert.notEqual(asyncio.currentTask(), undefined);
      if (request.path === '/boom') throw new Error('boom');
      return new Response({ text: request.path });
    });
    await using server = await new TestServer(app, { handlerCancellation: true }).start();
    assert.equal(await (await server.fetch('/x')).text(), '/x');
    assert.equal((await server.fetch('/boom')).status, 500);
  });

  test('the source of a response that is not sent any more is released', async () => {
    let entered: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      entered = resolve;
    });
    let released: () => void = () => {};
    const closed = new Promise<void>((resolve) => {
      released = resolve;
    });
    const app = appOf(async (request) => {
      const left = new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      entered();
      await left;
      const body = new ReadableStream<Uint8Array>({ cancel: () => released() });
      return new Response({ body });
    });
    await using server = await new TestServer(app).start();
    const client = connect(server.port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await begun;
    client.resetAndDestroy();
    await closed;
  });
});

describe('handlerTimeout', () => {
  test('answers 504, aborts the signal and drops what the handler says later', async () => {
    const logger = collectingLogger();
    let reason: unknown;
    let done: () => void = () => {};
    const finished = new Promise<void>((resolve) => {
      done = resolve;
    });
    const app = appOf(async (request) => {
      await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
      reason = request.signal.reason;
      setImmediate(done);
      return new Response({ text: 'late' });
    }, logger);
    await using server = await new TestServer(app, { handlerTimeout: 50 }).start();
    const response = await server.fetch('/');
    assert.equal(response.status, 504);
    assert.equal(await response.text(), '');
    await finished;
    assert.equal((reason as Error).name, 'TimeoutError');
    assert.match(logger.warnings[0] ?? '', /Handler of GET \/ took longer than handlerTimeout/);
    assert.deepEqual(logger.errors, []);
  });
});

describe('context variables', () => {
  test('set in one request are invisible in the next', async () => {
    const user = new asyncio.ContextVar<string>('user');
    const app = appOf(async (request) => {
      const before = user.get('nobody');
      user.set(request.path);
      await asyncio.sleep(0);
      return new Response({ text: `${before} ${user.get()}` });
    });
    await using server = await new TestServer(app, { handlerCancellation: true }).start();
    const answer = await rawRequest(
      server.port,
      'GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    assert.deepEqual(answer.match(/nobody \/[ab]/g), ['nobody /a', 'nobody /b']);
  });
});
