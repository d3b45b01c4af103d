import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { parseChallenges } from '../../src/client/auth-challenge.ts';
import { digestChallenge, digestResponse } from '../../src/client/digest-response.ts';
import {
  BasicAuth,
  basicAuth,
  bearerAuth,
  type ClientMiddleware,
  ClientSession,
  DigestAuthMiddleware,
  retryMiddleware,
  type TokenSource,
} from '../../src/client/index.ts';
import { type MockCall, MockConnector, type MockReply } from '../../src/testing/index.ts';

const API = 'https://api.example/';

function fieldsOf(challenge: string): Record<string, string> {
  const [parsed] = parseChallenges([challenge]);
  return Object.fromEntries(parsed?.params ?? []);
}

describe('challenges', () => {
  const cases: readonly (readonly [string, readonly (readonly [string, Record<string, string>])[]])[] = [
    ['Basic realm="x"', [['basic', { realm: 'x' }]]],
    ['Basic', [['basic', {}]]],
    [
      'Negotiate, Basic realm="a, b=\\"c\\""',
      [
        ['negotiate', {}],
        ['basic', { realm: 'a, b="c"' }],
      ],
    ],
    [
      'Digest realm=x,nonce = "n" , qop="auth,auth-int"',
      [['digest', { realm: 'x', nonce: 'n', qop: 'auth,auth-int' }]],
    ],
    [
      'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
      [
        ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
        ['basic', { realm: 'simple' }],
      ],
    ],
    [
      'Negotiate dG9rZW4=, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [', ,Basic realm="x",,', [['basic', { realm: 'x' }]]],
    ['Basic realm="never closed', [['basic', {}]]],
    ['', []],
    ['"', []],
    ['=,=', []],
  ];
  for (const [field, expected] of cases) {
    test(JSON.stringify(field), () => {
      const found = parseChallenges([field]).map(({ scheme, params }) => [
        scheme,
        Object.fromEntries(params),
      ]);
      assert.deepEqual(
        found.slice(0, expected.length || 10).filter(([scheme]) => /^[a-z]+$/.test(String(scheme))),
        expected,
      );
    });
  }

  test('a long field of anything takes linear time', () => {
    for (const piece of ['a=', '"', '\\"', 'a=b,', ',', ' ', 'a ', 'x="\\'])
      parseChallenges([piece.repeat(100_000)]);
  });
});

describe('digest answers', () => {
  // RFC 7616 §3.9.1 and §3.9.2.
  const rfc = (algorithm: string, extra = ''): string =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"${extra}`;
  const answer = (
    challenge: string,
    input: Partial<Parameters<typeof digestResponse>[1]> = {},
  ): Record<string, string> => {
    const parsed = digestChallenge(parseChallenges([challenge]));
    assert.ok(parsed);
    return fieldsOf(
      digestResponse(parsed, {
        login: 'Mufasa',
        password: 'Circle of Life',
        method: 'GET',
        uri: '/dir/index.html',
        body: undefined,
        count: 1,
        clientNonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
        ...input,
      }),
    );
  };

  test('RFC 7616 §3.9.1, MD5', () => {
    const fields = answer(rfc('MD5'));
    assert.equal(fields['response'], '8ca523f5e9506fed4657c9700eebdbec');
    assert.equal(fields['username'], 'Mufasa');
    assert.equal(fields['nc'], '00000001');
    assert.equal(fields['opaque'], 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS');
  });

  test('RFC 7616 §3.9.1, SHA-256', () => {
    assert.equal(
      answer(rfc('SHA-256'))['response'],
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    );
  });

  test('RFC 7616 §3.9.2, SHA-512-256 with a hashed name', () => {
    const fields = answer(
      'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true',
      {
        login: 'J\u00e4s\u00f8n Doe',
        password: 'Secret, or not?',
        uri: '/doe.json',
        clientNonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm',
      },
    );
    // The RFC's own figures are of another hash than SHA-512/256 (erratum 4897); these are of the right one, by Python's hashlib.
    assert.equal(fields['username'], '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b');
    assert.equal(fields['response'], '7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c');
    assert.equal(fields['userhash'], 'true');
  });

  test('RFC 2069, without qop', () => {
    const fields = answer(
      'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
      { password: 'CircleOfLife' },
    );
    assert.equal(fields['response'], '1949323746fe6a43ef61f9606e7febea');
    assert.equal(fields['qop'], undefined);
    assert.equal(fields['nc'], undefined);
    assert.equal(fields['algorithm'], undefined);
  });

  test('auth-int counts the body, -sess the nonces, and both are other answers', () => {
    const only = (qop: string, algorithm: string): string => rfc(algorithm).replace('auth, auth-int', qop);
    const answers = new Set([
      answer(only('auth', 'MD5'))['response'],
      answer(only('auth-int', 'MD5'), { body: Buffer.from('a') })['response'],
      answer(only('auth-int', 'MD5'), { body: Buffer.from('b') })['response'],
      answer(only('auth-int', 'MD5'))['response'],
      answer(only('auth', 'MD5-sess'))['response'],
      answer(only('auth', 'SHA-256-sess'))['response'],
    ]);
    assert.equal(answers.size, 6);
  });

  test('a name beyond ASCII is written in UTF-8, quotes are escaped', () => {
    const fields = answer('Digest realm="say \\"hi\\"", nonce="n", qop="auth"', { login: 'J\u00e4s\u00f8n' });
    assert.equal(fields['username*'], "UTF-8''J%C3%A4s%C3%B8n");
    assert.equal(fields['realm'], 'say "hi"');
  });

  for (const [what, challenge, expected] of [
    [
      'the first that can be answered is taken',
      ['Digest realm=a, nonce=1, algorithm=WHIRLPOOL, Digest realm=b, nonce=2, algorithm=sha-256'],
      'b',
    ],
    ['no nonce', ['Digest realm=a'], undefined],
    ['an unknown qop', ['Digest realm=a, nonce=1, qop=auth-new'], undefined],
    ['no Digest', ['Basic realm=a'], undefined],
  ] as const) {
    test(what, () => assert.equal(digestChallenge(parseChallenges(challenge))?.realm, expected));
  }
});

/** A reply that lets in whoever answers the nonce with the right hash, as a server that follows RFC 7616 would. */
function digestServer(nonces: string[], extra = ''): { reply: MockReply; seen: Record<string, string>[] } {
  const seen: Record<string, string>[] = [];
  return {
    seen,
    reply: (call: MockCall) => {
      const given = call.headers['authorization'];
      const nonce = nonces[0]!;
      if (given === undefined) seen.push({});
      else {
        const fields = fieldsOf(given);
        seen.push(fields);
        const expected = digestResponse(
          digestChallenge(parseChallenges([`Digest realm="r", nonce="${nonce}", qop="auth"${extra}`]))!,
          {
            login: 'ada',
            password: 'secret',
            method: call.method,
            uri: call.url.pathname + call.url.search,
            body: call.body,
            count: Number.parseInt(fields['nc'] ?? '0', 16),
            clientNonce: fields['cnonce'] ?? '',
          },
        );
        if (fieldsOf(expected)['response'] === fields['response']) return { body: 'in' };
      }
      const stale = given === undefined ? '' : ', stale=true';
      return {
        status: 401,
        body: 'out',
        headers: {
          'WWW-Authenticate': [
            'Basic realm="r"',
            `Digest realm="r", nonce="${nonce}", qop="auth"${stale}${extra}`,
          ],
        },
      };
    },
  };
}

async function withSession(
  middlewares: readonly ClientMiddleware[],
  work: (session: ClientSession, mock: MockConnector) => Promise<void>,
): Promise<void> {
  const mock = new MockConnector();
  const session = new ClientSession({ connector: mock, middlewares });
  try {
    await work(session, mock);
  } finally {
    await session.close();
  }
}

describe('DigestAuthMiddleware', () => {
  test('answers a challenge, then sends answers at once and counts them', async () => {
    await withSession([new DigestAuthMiddleware('ada', 'secret')], async (session, mock) => {
      const { reply, seen } = digestServer(['n1']);
      mock.get(/./, reply, { times: Infinity });
      for (const path of ['a?x=1', 'b', 'c']) {
        const response = await session.get(API + path);
        assert.equal(await response.text(), 'in');
      }
      assert.deepEqual(
        seen.map(({ nc, uri }) => [nc, uri]),
        [
          [undefined, undefined],
          ['00000001', '/a?x=1'],
          ['00000002', '/b'],
          ['00000003', '/c'],
        ],
      );
    });
  });

  test('is a middleware and an instance', () => {
    const middleware = new DigestAuthMiddleware('ada', 'secret');
    assert.equal(typeof middleware, 'function');
    assert.ok(middleware instanceof DigestAuthMiddleware);
    assert.throws(() => new DigestAuthMiddleware('a:b', 'x'), { code: 'AIO_DIGEST_AUTH' });
  });

  test('a realm beyond ASCII was hashed as something else than it is', () => {
    const hex = (text: string): string => createHash('md5').update(text).digest('hex');
    const realm = Buffer.from('Café', 'utf8').toString('latin1'); // as fields come
    const challenge = digestChallenge(
      parseChallenges([`Digest realm="${realm}", nonce="n", qop="auth", charset=UTF-8`]),
    );
    const input = { login: 'ada', password: 'pä', method: 'GET', uri: '/', body: undefined, count: 1 };
    const answer = fieldsOf(digestResponse(challenge!, { ...input, clientNonce: 'c' }));
    assert.equal(answer['realm'], realm);
    assert.equal(answer['response'], hex(`${hex('ada:Café:pä')}:n:00000001:c:auth:${hex('GET:/')}`));
  });

  test('a nonce that went stale is answered anew, once', async () => {
    await withSession([new DigestAuthMiddleware('ada', 'secret')], async (session, mock) => {
      const nonces = ['n1'];
      const { reply, seen } = digestServer(nonces);
      mock.get(/./, reply, { times: Infinity });
      await (await session.get(API)).read();
      nonces[0] = 'n2';
      assert.equal(await (await session.get(API)).text(), 'in');
      assert.deepEqual(
        seen.map(({ nonce, nc }) => `${nonce} ${nc}`),
        ['undefined undefined', 'n1 00000001', 'n1 00000002', 'n2 00000001'],
      );
    });
  });

  test('the key of a -sess algorithm was made anew for each answer', async () => {
    for (const [algorithm, different] of [
      ['SHA-256-sess', 1],
      ['SHA-256', 2],
    ] as const) {
      await withSession([new DigestAuthMiddleware('ada', 'secret')], async (session, mock) => {
        const nonces = new Set<string | undefined>();
        const challenge = `Digest realm=r, nonce=n, qop="auth", algorithm=${algorithm}`;
        mock.get(
          API,
          ({ headers }) => {
            const given = headers['authorization'];
            if (given === undefined) return { status: 401, headers: { 'WWW-Authenticate': challenge } };
            nonces.add(fieldsOf(given)['cnonce']);
            return {};
          },
          { times: Infinity },
        );
        for (let i = 0; i < 2; i++) await session.get(API);
        assert.equal(nonces.size, different);
      });
    }
  });

  test('a wrong password gives the 401 back after one answer', async () => {
    await withSession([new DigestAuthMiddleware('ada', 'wrong')], async (session, mock) => {
      const { reply, seen } = digestServer(['n']);
      mock.get(/./, reply, { times: Infinity });
      const response = await session.get(API);
      assert.equal(response.status, 401);
      assert.equal(await response.text(), 'out');
      assert.equal(seen.length, 2);
    });
  });

  test('auth-int hashes the body, which is sent again', async () => {
    await withSession([new DigestAuthMiddleware('ada', 'secret')], async (session, mock) => {
      mock.post(/./, digestServer(['n'], ', qop="auth-int"').reply, { times: Infinity });
      mock.put(
        /./,
        (call) => {
          const given = call.headers['authorization'];
          if (given === undefined)
            return {
              status: 401,
              headers: { 'WWW-Authenticate': 'Digest realm=r, nonce=n, qop="auth-int"' },
            };
          assert.equal(fieldsOf(given)['qop'], 'auth-int');
          return { body: call.text };
        },
        { times: Infinity },
      );
      assert.equal(await (await session.put(API, { data: 'hello' })).text(), 'hello');
    });
  });

  test('a body that is gone is not sent again: the 401 is the response', async () => {
    await withSession([new DigestAuthMiddleware('ada', 'secret')], async (session, mock) => {
      mock.post(/./, digestServer(['n']).reply, { times: Infinity });
      async function* once(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('hello');
      }
      const response = await session.post(API, { data: once() });
      assert.equal(response.status, 401);
      assert.equal(mock.calls.length, 1);
    });
  });

  test('no origin but the first gets an answer, by a redirect or otherwise', async () => {
    await withSession([new DigestAuthMiddleware('ada', 'secret')], async (session, mock) => {
      mock.get(`${API}away`, { status: 302, headers: { Location: 'https://evil.example/' } });
      mock.get(/evil/, digestServer(['n']).reply, { times: Infinity });
      for (const url of [`${API}away`, 'https://evil.example/']) {
        const response = await session.get(url);
        assert.equal(response.status, 401);
        await response.read();
      }
      assert.deepEqual(
        mock.callsTo('GET', /evil/).map(({ headers }) => headers['authorization']),
        [undefined, undefined],
      );
    });
  });

  test('domain limits what is answered beforehand, within the origin', async () => {
    await withSession([new DigestAuthMiddleware('ada', 'secret')], async (session, mock) => {
      const { reply, seen } = digestServer(['n'], ', domain="/a https://evil.example/b"');
      mock.get(/./, reply, { times: Infinity });
      for (const path of ['a', 'a/x', 'ab', 'b']) await (await session.get(API + path)).read();
      assert.deepEqual(
        seen.map(({ uri }) => uri),
        [undefined, '/a', '/a/x', undefined, '/ab', undefined, '/b'],
      );
    });
  });

  test('nextnonce is used next', async () => {
    await withSession([new DigestAuthMiddleware('ada', 'secret')], async (session, mock) => {
      const seen: (string | undefined)[] = [];
      mock.get(
        /./,
        (call) => {
          const given = call.headers['authorization'];
          seen.push(given === undefined ? undefined : fieldsOf(given)['nonce']);
          if (given === undefined)
            return { status: 401, headers: { 'WWW-Authenticate': 'Digest realm=r, nonce=n1, qop=auth' } };
          return { headers: { 'Authentication-Info': 'nextnonce="n2", qop=auth' } };
        },
        { times: Infinity },
      );
      await (await session.get(API)).read();
      await (await session.get(API)).read();
      assert.deepEqual(seen, [undefined, 'n1', 'n2']);
    });
  });

  test('inside a retry each try has its own count', async () => {
    const retry = retryMiddleware({ sleep: async () => {}, statuses: [503] });
    await withSession([retry, new DigestAuthMiddleware('ada', 'secret')], async (session, mock) => {
      const { reply, seen } = digestServer(['n']);
      let failures = 2;
      mock.get(
        /./,
        async (call) => {
          const answer = await (reply as (call: MockCall) => object)(call);
          return call.headers['authorization'] !== undefined && failures-- > 0 ? { status: 503 } : answer;
        },
        { times: Infinity },
      );
      assert.equal((await session.get(API)).status, 200);
      assert.deepEqual(
        seen.map(({ nc }) => nc),
        [undefined, '00000001', '00000002', '00000003'],
      );
    });
  });
});

describe('basic and bearer', () => {
  test('BasicAuth writes and reads', () => {
    const field = new BasicAuth('J\u00e4s\u00f8n', 'a:b').encode();
    assert.deepEqual({ ...BasicAuth.decode(field) }, { login: 'J\u00e4s\u00f8n', password: 'a:b' });
    assert.throws(() => new BasicAuth('a:b'), { code: 'AIO_BASIC_AUTH' });
    for (const bad of ['', 'Basic', 'Basic !!', 'Bearer x', 'Basic YQ==']) {
      assert.throws(() => BasicAuth.decode(bad), { code: 'AIO_BASIC_AUTH' });
    }
  });

  test('are sent to the first origin only, and do not replace what the caller set', async () => {
    await withSession([basicAuth('ada', 'secret')], async (session, mock) => {
      mock.get(`${API}1`, { status: 302, headers: { Location: '/2' } });
      mock.get(`${API}2`, { status: 302, headers: { Location: 'https://evil.example/' } });
      mock.get('https://evil.example/', {});
      mock.get(`${API}own`, {});
      await session.get(`${API}1`);
      await session.get(`${API}own`, { headers: { Authorization: 'mine' } });
      const value = new BasicAuth('ada', 'secret').encode();
      assert.deepEqual(
        mock.calls.map(({ headers }) => headers['authorization']),
        [value, value, undefined, 'mine'],
      );
    });
  });

  test('a refused token is asked for anew, once', async () => {
    const refusals: (string | undefined)[] = [];
    const source = (refused: string | undefined): string => {
      refusals.push(refused);
      return refused === undefined ? 'old' : 'new';
    };
    await withSession([bearerAuth(source)], async (session, mock) => {
      mock.get(API, (call) => ({ status: call.headers['authorization'] === 'Bearer new' ? 200 : 401 }), {
        times: Infinity,
      });
      assert.equal((await session.get(API)).status, 200);
      assert.deepEqual(refusals, [undefined, 'old']);
      assert.equal(mock.calls.length, 2);
    });
    await withSession([bearerAuth('fixed')], async (session, mock) => {
      mock.get(API, { status: 401 });
      assert.equal((await session.get(API)).status, 401);
      mock.assertCalledOnce('GET', API, { headers: { authorization: 'Bearer fixed' } });
    });
  });

  test('a token of our own was taken for the one of the caller when another request got a new one', async () => {
    let current = 'one';
    const source: TokenSource = (refused) => (refused === undefined ? current : 'three');
    const bearer = bearerAuth(source);
    await withSession([retryMiddleware({ sleep: async () => {} }), bearer], async (session, mock) => {
      mock.get(API, async () => {
        // While this one is under way, another request gets another token.
        current = 'two';
        await session.get(`${API}other`, { middlewares: [bearer] });
        return { status: 503 };
      });
      mock.get(API, (call) => ({ status: call.headers['authorization'] === 'Bearer two' ? 200 : 401 }));
      mock.get(`${API}other`, {});
      assert.equal((await session.get(API)).status, 200);
    });
  });

  test('a token that could end the line is refused without being shown', async () => {
    assert.throws(
      () => bearerAuth('secret\r\nX: y'),
      (error: Error) => !error.message.includes('secret'),
    );
  });
});
