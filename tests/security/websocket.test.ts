import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import {
  AbstractAuthorizationPolicy,
  authorizedUserId,
  CookiesIdentityPolicy,
  csrfMiddleware,
  forget,
  loginRequired,
  remember,
  securityHeaders,
  setup,
} from '../../src/security/index.ts';
import { TestServer } from '../../src/testing/index.ts';
import * as web from '../../src/web/index.ts';
import { collectingLogger } from '../web/collecting-logger.ts';

class Users extends AbstractAuthorizationPolicy<string> {
  authorizedUserId(identity: string): string {
    return identity;
  }
  permits(): boolean {
    return true;
  }
}

interface Opened {
  readonly status: number | undefined;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly first: string | undefined;
}

/** What a client sees of /path: the head, and the first message. */
function open(server: TestServer, path: string, headers: Record<string, string>): Promise<Opened> {
  const socket = new WebSocket(server.makeUrl(path).replace('http', 'ws'), { headers });
  return new Promise((resolve) => {
    let head: Pick<Opened, 'status' | 'headers'> = { status: undefined, headers: {} };
    let first: string | undefined;
    socket.on('upgrade', (answer) => {
      head = { status: answer.statusCode, headers: answer.headers };
    });
    socket.on('unexpected-response', (request, answer) => {
      resolve({ status: answer.statusCode, headers: answer.headers, first: undefined });
      request.destroy();
    });
    socket.on('message', (message) => {
      first ??= String(message);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve({ ...head, first }));
  });
}

async function serving(...middlewares: web.Middleware[]): Promise<TestServer> {
  const logger = collectingLogger();
  const app = new web.Application({ logger, middlewares });
  app.onResponsePrepare.append(securityHeaders());
  setup(app, new CookiesIdentityPolicy('a secret of at least 32 bytes: 0123456789'), new Users());
  const answering = (act: (request: web.Request, ws: web.WebSocketResponse) => unknown): web.Handler => {
    return async (request) => {
      const ws = new web.WebSocketResponse();
      await act(request, ws);
      await ws.prepare(request);
      await ws.sendStr(`user ${await authorizedUserId<string>(request)}`);
      const late = await remember(request, ws, 'late').then(
        () => 'remembered',
        (error: { code?: string }) => error.code,
      );
      assert.equal(late, 'AIO_RESPONSE_PREPARED');
      return ws;
    };
  };
  app.addRoutes([
    web.get(
      '/',
      answering(() => {}),
    ),
    web.get(
      '/login',
      answering((request, ws) => remember(request, ws, 'ann')),
    ),
    web.get(
      '/logout',
      answering((request, ws) => forget(request, ws)),
    ),
    web.get('/members', loginRequired(answering(() => {}))),
  ]);
  return await new TestServer(app, { logger }).start();
}

describe('security and a WebSocket', () => {
  test('remember() and forget() reach the 101; who is nobody gets 401', async () => {
    await using server = await serving();
    assert.equal((await open(server, '/members', {})).status, 401);
    const login = await open(server, '/login', {});
    assert.equal(login.status, 101);
    assert.equal(login.first, 'user undefined');
    const [cookie = ''] = login.headers['set-cookie'] as string[];
    const Cookie = cookie.split(';')[0]!;
    assert.equal((await open(server, '/members', { Cookie })).first, 'user ann');
    const logout = await open(server, '/logout', { Cookie });
    assert.match(String(logout.headers['set-cookie']), /Max-Age=0/i);
  });

  test('csrfMiddleware keeps pages of other sites from opening one with its visitors’ cookies', async () => {
    await using server = await serving(csrfMiddleware({ trustedOrigins: ['https://app.example.com'] }));
    const host = `127.0.0.1:${server.port}`;
    const cases: readonly (readonly [Record<string, string>, number])[] = [
      [{}, 101],
      [{ Origin: `http://${host}` }, 101],
      [{ Origin: 'https://app.example.com' }, 101],
      [{ Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' }, 101],
      [{ Origin: 'https://evil.example' }, 403],
      [{ Origin: `http://${host}.evil.example` }, 403],
      [{ Origin: 'null' }, 403],
      [{ Origin: `http://${host}`, 'Sec-Fetch-Site': 'cross-site' }, 403],
    ];
    for (const [headers, status] of cases) {
      const opened = await open(server, '/', { Cookie: 'a=b', ...headers });
      assert.equal(opened.status, status, JSON.stringify(headers));
      assert.equal(opened.first, status === 101 ? 'user undefined' : undefined);
      assert.equal(opened.headers['x-content-type-options'], 'nosniff');
    }
  });
});
