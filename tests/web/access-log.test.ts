import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { RawTestServer, TestServer } from '../../src/testing/index.ts';
import { escapeForLog } from '../../src/web/access-log.ts';
import { collectingLogger } from './collecting-logger.ts';
import { rawRequest } from './raw-request.ts';

const { AccessLogger, Application, Response } = web;

/** Serves one request and gives back the lines that were logged for it. */
async function logOf(
  format: string | undefined,
  request: string,
  options: Partial<web.AppRunnerOptions> = {},
): Promise<string[]> {
  const accessLog = collectingLogger();
  const app = new Application({ logger: collectingLogger() });
  app.addRoutes([
    web.get('/ok', () => new Response({ text: 'hello', headers: { 'X-Answer': 'forty-two' } })),
  ]);
  const server = await new TestServer(app, { accessLog, accessLogFormat: format, ...options }).start();
  await rawRequest(server.port, request);
  await server.close();
  return accessLog.infos;
}

const REQUEST = 'GET /ok?x=1 HTTP/1.1\r\nHost: a\r\nReferer: rr\r\nConnection: close\r\n\r\n';

describe('AccessLogger', () => {
  test('default format', async () => {
    const [line, ...more] = await logOf(undefined, REQUEST);
    assert.deepEqual(more, []);
    assert.match(
      line ?? '',
      /^127\.0\.0\.1 \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/ok\?x=1 HTTP\/1\.1" 200 \d+ "rr" "-"$/,
    );
  });

  test('%b counts the head too', async () => {
    const accessLog = collectingLogger();
    await using server = await new RawTestServer(() => new Response({ text: 'hello' }), {
      accessLog,
      accessLogFormat: '%b',
    }).start();
    const answer = await rawRequest(server.port, REQUEST);
    await server.close();
    assert.deepEqual(accessLog.infos, [String(answer.length)]);
  });

  for (const [format, expected] of [
    ['%%', /^%$/],
    ['%P', new RegExp(`^${process.pid}$`)],
    ['%s', /^200$/],
    ['%T', /^\d+$/],
    ['%Tf', /^\d+\.\d{6}$/],
    ['%D', /^\d+$/],
    ['%{Host}i', /^a$/],
    ['%{host}i', /^a$/],
    ['%{Missing}i', /^-$/],
    ['%{X-Answer}o', /^forty-two$/],
    ['%{Content-Type}o', /^text\/plain; charset=utf-8$/],
    ['%{Missing}o', /^-$/],
    ['%{AIO_ACCESS_LOG_TEST}e', /^from "?environment$/],
    ['%{AIO_MISSING}e', /^-$/],
    ['[%s] %r|', /^\[200\] GET \/ok\?x=1 HTTP\/1\.1\|$/],
  ] as const) {
    test(format, async () => {
      process.env['AIO_ACCESS_LOG_TEST'] = 'from environment';
      const [line] = await logOf(format, REQUEST);
      assert.match(line ?? '', expected);
    });
  }

  test('an unknown atom is refused when the logger is made', () => {
    for (const format of ['%z', '%{Host}x', '100%', '%{}i']) {
      assert.throws(() => new AccessLogger(console, format), {
        name: 'RangeError',
        message: /Unknown atom '%/,
      });
    }
  });

  test('nothing of a request can forge a line', async () => {
    const [line] = await logOf(
      '%{User-Agent}i',
      'GET /ok HTTP/1.1\r\nHost: a\r\nUser-Agent: a"\t\\\x85b\r\nConnection: close\r\n\r\n',
    );
    assert.equal(line, 'a\\"\\x09\\\\\\x85b');
  });

  test('a malformed request is logged with what there is of it', async () => {
    const [line] = await logOf('%s %a', 'GET / HTTP/1.1\r\n\r\n');
    assert.equal(line, '400 127.0.0.1');
  });

  test('a client that left before there was an answer is logged without a status', async () => {
    const accessLog = collectingLogger();
    let entered: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      entered = resolve;
    });
    await using server = await new RawTestServer(
      async (request) => {
        const left = new Promise((resolve) => request.signal.addEventListener('abort', resolve));
        entered();
        await left;
        return new Response();
      },
      { accessLog, accessLogFormat: '%s %b "%r"' },
    ).start();
    const client = connect(server.port, '127.0.0.1');
    client.write(REQUEST);
    await begun;
    client.resetAndDestroy();
    await server.close();
    assert.deepEqual(accessLog.infos, ['- 0 "GET /ok?x=1 HTTP/1.1"']);
  });
});

describe('a class of your own', () => {
  test('gets the request, the response and the duration', async () => {
    const records: unknown[] = [];
    class Own implements web.AbstractAccessLogger {
      readonly enabled = true;
      log({ request, response, duration, error }: web.AccessRecord): void {
        records.push([request.path, response?.status, typeof duration, duration >= 0, error]);
      }
    }
    await logOf(undefined, REQUEST, { accessLog: undefined, accessLogClass: Own });
    assert.deepEqual(records, [['/ok', 200, 'number', true, undefined]]);
  });

  test('is never called when it is not enabled', async () => {
    let calls = 0;
    class Silent implements web.AbstractAccessLogger {
      readonly enabled = false;
      log(): void {
        calls++;
      }
    }
    await logOf(undefined, REQUEST, { accessLogClass: Silent });
    assert.equal(calls, 0);
  });

  test('that throws does not harm the request', async () => {
    const logger = collectingLogger();
    class Broken implements web.AbstractAccessLogger {
      readonly enabled = true;
      log(): void {
        throw new Error('broken logger');
      }
    }
    await using server = await new RawTestServer(() => new Response({ text: 'fine' }), {
      logger,
      accessLogClass: Broken,
    }).start();
    assert.equal(await (await server.fetch('/')).text(), 'fine');
    assert.match(logger.errors[0] ?? '', /The access logger failed\nError: broken logger/);
  });
});

test('escapeForLog', () => {
  for (const [text, escaped] of [
    ['plain /é', 'plain /é'],
    ['a\r\nb', 'a\\x0d\\x0ab'],
    ['\x00\x1b[31m\x7f', '\\x00\\x1b[31m\\x7f'],
    ['\u0085\u009b', '\\x85\\x9b'],
    ['\u2028', '\\u2028'],
    ['"\\', '\\"\\\\'],
  ] as const) {
    assert.equal(escapeForLog(text), escaped);
  }
});
