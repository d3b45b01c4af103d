import assert from 'node:assert/strict';
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { describe, test } from 'node:test';
import { ClientSession, type RequestDiagnostics, TraceConfig } from '../../src/client/index.ts';
import { ok, RawServer, redirect } from './raw-server.ts';

const SIGNALS = [
  'onRequestStart',
  'onRequestChunkSent',
  'onResponseChunkReceived',
  'onRequestEnd',
  'onRequestException',
  'onRequestRedirect',
  'onRequestHeadersSent',
  'onConnectionQueuedStart',
  'onConnectionQueuedEnd',
  'onConnectionCreateStart',
  'onConnectionCreateEnd',
  'onConnectionReuseconn',
  'onDnsResolvehostStart',
  'onDnsResolvehostEnd',
  'onDnsCacheHit',
  'onDnsCacheMiss',
] as const;

/** A config that writes down the name of everything that happens. */
function logging(log: string[]): TraceConfig {
  const config = new TraceConfig();
  for (const name of SIGNALS) {
    config[name].append(async () => {
      await null;
      log.push(name.slice(2));
    });
  }
  return config;
}

test('a cookie that cannot be ended the process when a diagnostics channel looked at the head', async () => {
  await using session = new ClientSession();
  const look = (message: unknown): void => {
    (message as RequestDiagnostics).request.headers.set('traceparent', '1');
  };
  subscribe('tracing:aiohttp-ts:client.request:start', look);
  try {
    await assert.rejects(session.get('http://127.0.0.1:1/', { cookies: { 'a;b': 'c' } }), {
      code: 'AIO_COOKIE_NAME',
    });
  } finally {
    unsubscribe('tracing:aiohttp-ts:client.request:start', look);
  }
});

describe('tracing', () => {
  test('a GET with a redirect, in the order of aiohttp', async () => {
    await using server = await RawServer.start(({ number }) => (number === 1 ? redirect('/b') : ok('body')));
    const log: string[] = [];
    await using session = new ClientSession({ traceConfigs: [logging(log)] });
    const response = await session.get(`http://localhost:${server.port}/`);
    await response.read();
    assert.deepEqual(log, [
      'RequestStart',
      'ConnectionCreateStart',
      'DnsCacheMiss',
      'DnsResolvehostStart',
      'DnsResolvehostEnd',
      'ConnectionCreateEnd',
      'RequestHeadersSent',
      'RequestRedirect',
      'ConnectionReuseconn',
      'RequestHeadersSent',
      'RequestEnd',
      'ResponseChunkReceived',
    ]);
  });

  test('a POST, and an exception', async () => {
    await using server = await RawServer.start(({ number, socket }) => {
      if (number === 2) socket.destroy();
      return number === 2 ? undefined : ok();
    });
    const log: string[] = [];
    await using session = new ClientSession({ traceConfigs: [logging(log)] });
    await session.post(server.url, { data: 'x' });
    await assert.rejects(
      session.post(server.url, {
        data: (async function* () {
          yield 'piece';
        })(),
      }),
    );
    assert.deepEqual(log, [
      'RequestStart',
      'ConnectionCreateStart',
      'ConnectionCreateEnd',
      'RequestHeadersSent',
      'RequestChunkSent',
      'RequestEnd',
      'RequestStart',
      'ConnectionReuseconn',
      'RequestHeadersSent',
      'RequestChunkSent',
      'RequestException',
    ]);
  });

  test('each call has a context, made from its traceRequestCtx', async () => {
    await using server = await RawServer.start(() => ok());
    const seen: unknown[] = [];
    const config = new TraceConfig((given) => ({ given, count: 0 }));
    config.onRequestStart.append((session, context, { method, headers }) => {
      context.count++;
      seen.push(session, method, headers.get('x-a'));
    });
    config.onRequestEnd.append((_session, context, { response }) => {
      seen.push({ ...context }, response.status);
    });
    await using session = new ClientSession({ traceConfigs: [config] });
    await session.get(server.url, { traceRequestCtx: 'mine', headers: { 'X-A': '1' } });
    assert.deepEqual(seen.slice(1), ['GET', '1', { given: 'mine', count: 1 }, 200]);
    assert.equal(seen[0], session);
  });

  test('diagnostics channels tell of every request, and may add headers', async () => {
    await using server = await RawServer.start(({ number }) => (number === 1 ? redirect('/b') : ok()));
    await using session = new ClientSession();
    const log: string[] = [];
    const subscriber = {
      start: ({ request }: RequestDiagnostics) => {
        request.headers.set('traceparent', '00-x');
        log.push(`start ${request.url.pathname}`);
      },
      end: () => {},
      asyncStart: () => {},
      asyncEnd: ({ response, error }: RequestDiagnostics) => log.push(`end ${response?.status} ${error}`),
      error: () => log.push('error'),
    };
    const channel = tracingChannel<object, RequestDiagnostics>('aiohttp-ts:client.request');
    channel.subscribe(subscriber as never);
    try {
      await session.get(`${server.url}/a`);
      await assert.rejects(session.get('http://127.0.0.1:1/'));
    } finally {
      channel.unsubscribe(subscriber as never);
    }
    await session.get(server.url);
    assert.match(
      log.join('; '),
      /^start \/a; end 302 undefined; start \/b; end 200 undefined; start \/; error; end undefined ClientConnectorError/,
    );
    assert.deepEqual(
      server.requests.map(({ head }) => head.includes('traceparent: 00-x')),
      [true, true, false],
    );
  });
});
