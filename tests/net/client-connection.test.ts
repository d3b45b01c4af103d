import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { CancelledError, createTask } from '../../src/asyncio/index.ts';
import { ProtocolError } from '../../src/http1/index.ts';
import { StreamReader } from '../../src/message/index.ts';
import {
  ClientConnection,
  type ConnectionOwner,
  DEFAULT_MESSAGE_OPTIONS,
  dialTcp,
  ReadTimeoutError,
  type ReceivedMessage,
  ResponsePayloadError,
  ServerDisconnectedError,
  TimerWheel,
} from '../../src/net/index.ts';
import { answer, RawServer, until } from './raw-server.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';

class Owner implements ConnectionOwner {
  readonly ends: boolean[] = [];
  idleEnds = 0;

  messageEnded(reusable: boolean): void {
    this.ends.push(reusable);
  }

  idleEnded(): void {
    this.idleEnds++;
  }
}

class TestClient implements Disposable {
  readonly owner = new Owner();
  readonly connection: ClientConnection;
  now = 0;
  readonly wheel = new TimerWheel(
    10,
    () => {},
    () => this.now,
  );

  private constructor(make: (wheel: TimerWheel) => ClientConnection) {
    this.connection = make(this.wheel);
    this.connection.owner = this.owner;
  }

  static async to(server: RawServer, direct: boolean): Promise<TestClient> {
    const addresses = [{ address: '127.0.0.1', family: 4 }] as const;
    const { socket, reader } = await dialTcp(addresses, { port: server.port, direct });
    return new TestClient((wheel) => new ClientConnection(socket, wheel, reader));
  }

  /** Time passes. */
  advance(milliseconds: number): void {
    this.now += milliseconds;
    this.wheel.advance();
  }

  request(method = 'GET', options = DEFAULT_MESSAGE_OPTIONS): Promise<ReceivedMessage> {
    const { connection } = this;
    connection.begin(method, options);
    connection.write(REQUEST.replace('GET', method));
    connection.flush();
    connection.endRequest();
    return connection.response();
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

async function bodyOf({ body }: ReceivedMessage): Promise<string | undefined> {
  if (body === undefined) return undefined;
  return Buffer.from(body instanceof StreamReader ? await body.read() : body).toString('latin1');
}

interface Case {
  readonly wire: string;
  readonly method?: string;
  /** The server ends the connection behind it. */
  readonly ends?: boolean;
  readonly status: number;
  readonly body: string | undefined;
  readonly reusable: boolean;
}

const table: Readonly<Record<string, Case>> = {
  'a length': { wire: answer('hello'), status: 200, body: 'hello', reusable: true },
  'length zero': { wire: answer(''), status: 200, body: '', reusable: true },
  chunked: {
    wire: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n',
    status: 200,
    body: 'abcde',
    reusable: true,
  },
  'no content': { wire: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204, body: undefined, reusable: true },
  'not modified, with a length': {
    wire: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    status: 304,
    body: undefined,
    reusable: true,
  },
  'an answer to HEAD': {
    wire: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    method: 'HEAD',
    status: 200,
    body: undefined,
    reusable: true,
  },
  'Connection: close': {
    wire: answer('bye', 'Connection: close\r\n'),
    status: 200,
    body: 'bye',
    reusable: false,
  },
  'HTTP/1.0': {
    wire: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
    status: 200,
    body: 'ok',
    reusable: false,
  },
  'HTTP/1.0 that keeps the connection': {
    wire: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok',
    status: 200,
    body: 'ok',
    reusable: true,
  },
  'until the end': {
    wire: 'HTTP/1.1 200 OK\r\n\r\nall of it',
    ends: true,
    status: 200,
    body: 'all of it',
    reusable: false,
  },
};

for (const direct of [true, false]) {
  describe(direct ? 'read past the stream' : "read by 'data'", () => {
    for (const [name, { wire, method = 'GET', ends = false, status, body, reusable }] of Object.entries(
      table,
    )) {
      test(`${name}, split at every byte`, async () => {
        let cut = 0;
        await using server = await RawServer.answering((socket) => {
          socket.write(wire.slice(0, cut), 'latin1');
          // The rest leaves in another packet, whether or not it is read in one piece.
          setImmediate(() => {
            socket.write(wire.slice(cut), 'latin1');
            if (ends) socket.end();
          });
        });
        let client: TestClient | undefined;
        const step = wire.length > 60 ? 3 : 1;
        for (cut = 0; cut < wire.length; cut += step) {
          if (client === undefined || client.connection.closed) client = await TestClient.to(server, direct);
          const { ends: seen } = client.owner;
          const before = seen.length;
          const message = await client.request(method);
          assert.equal(message.head.status, status);
          assert.equal(await bodyOf(message), body);
          assert.deepEqual(seen.slice(before), [reusable]);
          assert.equal(client.connection.closed, !reusable);
          if (name === 'chunked') assert.equal(message.trailers?.get('x-sum'), '1');
        }
        client?.[Symbol.dispose]();
      });
    }

    test('a big body arrives as it was sent', async () => {
      const sent = randomBytes(3_000_001);
      await using server = await RawServer.answering((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${sent.length}\r\n\r\n`);
        socket.write(sent);
      });
      using client = await TestClient.to(server, direct);
      for (let round = 0; round < 2; round++) {
        const hash = createHash('sha256');
        const pieces: Uint8Array[] = [];
        const { body } = await client.request();
        assert.ok(body instanceof StreamReader);
        for await (const piece of body) {
          hash.update(piece);
          pieces.push(piece);
        }
        const expected = createHash('sha256').update(sent).digest('hex');
        assert.equal(hash.digest('hex'), expected);
        // Nothing was written over what was handed over.
        assert.equal(createHash('sha256').update(Buffer.concat(pieces)).digest('hex'), expected);
      }
      assert.deepEqual(client.owner.ends, [true, true]);
    });

    test('a big body that is read as a whole is copied into place', async () => {
      const sent = randomBytes(2_000_003);
      await using server = await RawServer.answering((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${sent.length}\r\n\r\n`);
        socket.write(sent.subarray(0, 100_000));
        setImmediate(() => socket.write(sent.subarray(100_000)));
      });
      using client = await TestClient.to(server, direct);
      for (const skipped of [0, 1, 70_000]) {
        const { body } = await client.request();
        assert.ok(body instanceof StreamReader);
        const first = skipped === 0 ? Buffer.alloc(0) : await body.readExactly(skipped);
        const rest = await body.read();
        assert.ok(Buffer.concat([first, rest]).equals(sent));
        if (direct && skipped === 0) assert.equal(rest.buffer.byteLength, sent.length);
      }
      assert.deepEqual(client.owner.ends, [true, true, true]);
    });

    test('a read of the whole that is cancelled takes nothing out', async () => {
      const sent = randomBytes(2_000_003);
      let finish: (() => void) | undefined;
      await using server = await RawServer.answering((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${sent.length}\r\n\r\n`);
        socket.write(sent.subarray(0, 300_000));
        finish = () => socket.write(sent.subarray(300_000));
      });
      using client = await TestClient.to(server, direct);
      const { body } = await client.request();
      assert.ok(body instanceof StreamReader);
      const task = createTask(() => body.read());
      await until(() => body.totalBytes === 300_000);
      task.cancel();
      await assert.rejects(Promise.resolve(task), CancelledError);
      const again = body.read();
      finish!();
      assert.ok(sent.equals(await again));
    });

    test('chunks of all sizes arrive as they were sent', async () => {
      const sizes = [1, 4095, 4096, 4097, 70_000, 2, 300_000, 8192, 8191, 1, 65_536, 65_537, 100];
      const sent = sizes.map((size) => randomBytes(size));
      await using server = await RawServer.answering((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (const part of sent) {
          socket.write(`${part.length.toString(16)}\r\n`);
          socket.write(part);
          socket.write('\r\n');
        }
        socket.write('0\r\n\r\n');
      });
      using client = await TestClient.to(server, direct);
      const { body } = await client.request();
      assert.ok(body instanceof StreamReader);
      assert.ok(Buffer.concat(sent).equals(await body.read()));
    });

    test('a body that nobody reads holds the server back', async () => {
      const total = 64 * 1024 * 1024;
      await using server = await RawServer.answering((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
        socket.write(Buffer.alloc(total));
      });
      using client = await TestClient.to(server, direct);
      const { body } = await client.request('GET', { ...DEFAULT_MESSAGE_OPTIONS, readBufferSize: 16_384 });
      assert.ok(body instanceof StreamReader);
      await until(() => client.connection.socket.isPaused());
      const { bytesRead } = client.connection.socket;
      assert.ok(bytesRead < 400_000, `${bytesRead} bytes were read`);
      let received = 0;
      for await (const piece of body) received += piece.length;
      assert.equal(received, total);
      assert.deepEqual(client.owner.ends, [true]);
    });

    test('after 101 the socket is handed over with what was read behind the head', async () => {
      await using server = await RawServer.start((socket) => {
        socket.once('data', () => {
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nfirst',
          );
          socket.on('data', (chunk) => socket.write(chunk));
        });
      });
      using client = await TestClient.to(server, direct);
      const { head } = await client.request();
      assert.equal(head.status, 101);
      const { socket, buffered } = client.connection.upgrade();
      assert.equal(Buffer.from(buffered).toString(), 'first');
      const sent = randomBytes(200_000);
      const received: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      socket.resume();
      socket.write(sent);
      await until(() => received.reduce((sum, { length }) => sum + length, 0) === sent.length);
      assert.ok(Buffer.concat(received).equals(sent));
      assert.deepEqual(client.owner.ends, []);
      socket.destroy();
      await once(socket, 'close');
      assert.deepEqual(client.owner.ends, [false]);
    });

    test('an upgraded socket that nobody reads holds the server back', async () => {
      await using server = await RawServer.start((socket) => {
        socket.once('data', () => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
          socket.write(Buffer.alloc(32 * 1024 * 1024));
        });
      });
      using client = await TestClient.to(server, direct);
      await client.request();
      const { socket, buffered } = client.connection.upgrade();
      const first = await once(socket.resume(), 'data');
      socket.pause();
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      assert.ok(socket.bytesRead < 4 * 1024 * 1024, `${socket.bytesRead} bytes were read`);
      let received = buffered.length + (first[0] as Buffer).length;
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      socket.resume();
      await until(() => received === 32 * 1024 * 1024);
    });
  });
}

describe('one message after the other', () => {
  test('an answer stays what it is when the next message has begun', async () => {
    await using server = await RawServer.answering((socket, head) => socket.write(answer(head.slice(0, 3))));
    using client = await TestClient.to(server, true);
    const first = await client.request('GET');
    const second = await client.request('PUT');
    assert.equal(await bodyOf(first), 'GET');
    assert.equal(await bodyOf(second), 'PUT');
    assert.equal(client.connection.requestsCount, 2);
  });

  test('an answer that nobody has asked for yet keeps the connection', async () => {
    await using server = await RawServer.answering((socket) => socket.write(answer('here')));
    using client = await TestClient.to(server, true);
    const { connection, owner } = client;
    connection.begin('GET');
    connection.write(REQUEST);
    connection.flush();
    connection.endRequest();
    await until(() => !connection.busy);
    assert.deepEqual(owner.ends, []);
    assert.throws(() => connection.begin('GET'), /another message is under way/);
    const message = await connection.response();
    assert.equal(await bodyOf(message), 'here');
    assert.deepEqual(owner.ends, [true]);
  });

  test('an answer that is complete before the request: the connection is not used again, and writing ends', async () => {
    await using server = await RawServer.start((socket) => {
      socket.once('data', () => socket.write(answer('too big')));
    });
    using client = await TestClient.to(server, true);
    const { connection, owner } = client;
    connection.begin('POST');
    connection.write('POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\nbegin');
    connection.flush();
    const message = await connection.response();
    assert.equal(await bodyOf(message), 'too big');
    assert.deepEqual(owner.ends, [false]);
    connection.write('more');
    await assert.rejects(async () => connection.flush(), /did not wait for the whole request/);
    assert.ok(connection.closed);
  });

  test('an early answer that nobody has asked for yet is there when it is asked for', async () => {
    await using server = await RawServer.start((socket) => {
      socket.once('data', () => socket.end(answer('no', 'Connection: close\r\n')));
    });
    using client = await TestClient.to(server, true);
    const { connection, owner } = client;
    connection.begin('POST');
    connection.write('POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n');
    connection.flush();
    await until(() => connection.closed);
    connection.write('more');
    await assert.rejects(async () => connection.flush());
    assert.equal(await bodyOf(await connection.response()), 'no');
    assert.deepEqual(owner.ends, [false]);
  });

  test('informational answers come one by one, then the final one', async () => {
    await using server = await RawServer.answering((socket) =>
      socket.write(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${answer('done')}`,
      ),
    );
    using client = await TestClient.to(server, true);
    const statuses = [(await client.request()).head.status];
    while (statuses.at(-1)! < 200) statuses.push((await client.connection.response()).head.status);
    assert.deepEqual(statuses, [100, 103, 200]);
    assert.deepEqual(client.owner.ends, [true]);
  });

  test('informational answers without end are refused', async () => {
    await using server = await RawServer.answering((socket) =>
      socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)),
    );
    using client = await TestClient.to(server, true);
    let error: unknown;
    let message = client.request();
    while (error === undefined) {
      try {
        await message;
        message = client.connection.response();
      } catch (caught) {
        error = caught;
      }
    }
    assert.match(String(error), /more than 16 informational/);
    assert.deepEqual(client.owner.ends, [false]);
  });

  test('without readUntilEof an answer without length has no body', async () => {
    await using server = await RawServer.answering((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    using client = await TestClient.to(server, true);
    const message = await client.request('GET', { ...DEFAULT_MESSAGE_OPTIONS, readUntilEof: false });
    assert.equal(message.body, undefined);
    assert.deepEqual(client.owner.ends, [false]);
  });

  test('other limits hold for the message that they were given for', async () => {
    await using server = await RawServer.answering((socket) =>
      socket.write(answer('', `X: ${'y'.repeat(200)}\r\n`)),
    );
    using client = await TestClient.to(server, true);
    await client.request();
    const limits = { ...DEFAULT_MESSAGE_OPTIONS.limits, maxFieldSize: 100 };
    await assert.rejects(client.request('GET', { ...DEFAULT_MESSAGE_OPTIONS, limits }), ProtocolError);
  });
});

describe('what goes wrong', () => {
  const failures: Readonly<Record<string, readonly [wire: string, error: RegExp]>> = {
    'the end instead of an answer': ['', /Server disconnected/],
    'the end inside a head': ['HTTP/1.1 200 OK\r\nCont', /Server disconnected/],
    garbage: ['\x16\x03\x01garbage\r\n\r\n', /Status line/],
    'a bad length': ['HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello', /Content-Length/],
    'NUL in a field': ['HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n', /control character/],
  };
  for (const [name, [wire, expected]] of Object.entries(failures)) {
    test(name, async () => {
      await using server = await RawServer.answering((socket) => socket.end(wire, 'latin1'));
      using client = await TestClient.to(server, true);
      await assert.rejects(client.request(), expected);
      assert.deepEqual(client.owner.ends, [false]);
      assert.ok(client.connection.closed);
      await assert.rejects(client.connection.response(), expected);
    });
  }

  const truncated: Readonly<Record<string, readonly [wire: string, error: RegExp]>> = {
    'a body that is too short': [
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc',
      /Response payload is not completed: .*received 3 of 10 bytes/,
    ],
    'chunks that break off': [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
      /Response payload is not completed: Not enough data to satisfy transfer length header/,
    ],
    'a chunk size that is none': [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
      /Response payload is not completed: Chunk size/,
    ],
  };
  for (const [name, [wire, expected]] of Object.entries(truncated)) {
    test(name, async () => {
      await using server = await RawServer.answering((socket) => socket.end(wire));
      using client = await TestClient.to(server, true);
      const message = await client.request();
      await assert.rejects(bodyOf(message), (error: Error) => {
        assert.ok(error instanceof ResponsePayloadError);
        assert.match(error.message, expected);
        return true;
      });
      assert.deepEqual(client.owner.ends, [false]);
    });
  }

  test('a reset', async () => {
    await using server = await RawServer.answering((socket) => socket.resetAndDestroy());
    using client = await TestClient.to(server, true);
    await assert.rejects(client.request(), { code: 'ECONNRESET' });
    assert.deepEqual(client.owner.ends, [false]);
  });

  test('data while idle closes the connection', async () => {
    await using server = await RawServer.answering((socket) => {
      socket.write(answer('one'));
      setImmediate(() => socket.write(answer('two')));
    });
    using client = await TestClient.to(server, true);
    await client.request();
    await until(() => client.connection.closed);
    assert.deepEqual([client.owner.ends.length, client.owner.idleEnds <= 1], [1, true]);
  });

  test('data behind an answer makes the connection useless', async () => {
    await using server = await RawServer.answering((socket) => socket.write(`${answer('one')}HTTP/1.1 200`));
    using client = await TestClient.to(server, true);
    assert.equal(await bodyOf(await client.request()), 'one');
    assert.deepEqual(client.owner.ends, [false]);
  });

  test('the end while idle is told', async () => {
    await using server = await RawServer.answering((socket) => {
      socket.write(answer('one'));
      setImmediate(() => socket.end());
    });
    using client = await TestClient.to(server, true);
    await client.request();
    await until(() => client.connection.closed);
    assert.deepEqual([client.owner.ends, client.owner.idleEnds], [[true], 1]);
    client.connection.begin('GET');
    await assert.rejects(async () => client.connection.flush(), ServerDisconnectedError);
  });

  test('a connection that is closed fails the message under way', async () => {
    await using server = await RawServer.answering(() => {});
    using client = await TestClient.to(server, true);
    const waiting = client.request();
    client.connection.close(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    assert.deepEqual(client.owner.ends, [false]);
  });

  test('a message that is given up closes the connection, one that is over does not', async () => {
    await using server = await RawServer.answering((socket) => socket.write(answer('one')));
    using client = await TestClient.to(server, true);
    await client.request();
    client.connection.abandon();
    assert.equal(client.connection.closed, false);
    client.request().catch(() => {});
    client.connection.abandon();
    assert.ok(client.connection.closed);
    assert.deepEqual(client.owner.ends, [true, false]);
  });
});

describe('silence', () => {
  const impatient = { ...DEFAULT_MESSAGE_OPTIONS, sockRead: 1_000 };

  test('of the server ends the wait for the head', async () => {
    await using server = await RawServer.answering(() => {});
    using client = await TestClient.to(server, true);
    const waiting = client.request('GET', impatient);
    client.advance(990);
    assert.equal(client.connection.busy, true);
    client.advance(100);
    await assert.rejects(waiting, ReadTimeoutError);
    assert.deepEqual(client.owner.ends, [false]);
  });

  test('inside of a body ends the body', async () => {
    await using server = await RawServer.answering((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
    );
    using client = await TestClient.to(server, true);
    const message = await client.request('GET', impatient);
    const reading = bodyOf(message);
    client.advance(1_100);
    await assert.rejects(reading, ReadTimeoutError);
  });

  test('between messages is no silence of the server', async () => {
    await using server = await RawServer.answering((socket) => socket.write(answer('x')));
    using client = await TestClient.to(server, true);
    await client.request('GET', impatient);
    client.advance(10_000);
    assert.equal(client.connection.closed, false);
    client.connection.rest(15_000);
    client.advance(14_990);
    assert.equal(client.connection.closed, false);
    client.advance(100);
    assert.ok(client.connection.closed);
    assert.equal(client.owner.idleEnds, 1);
  });

  test('is ours while a request is being made', async () => {
    await using server = await RawServer.answering((socket) => socket.write(answer('x')));
    using client = await TestClient.to(server, true);
    const { connection } = client;
    connection.begin('POST', impatient);
    connection.write('POST / HTTP/1.1\r\nHost: test\r\n');
    connection.flush();
    client.advance(5_000);
    assert.equal(connection.closed, false);
    connection.write('Content-Length: 0\r\n\r\n');
    connection.flush();
    connection.endRequest();
    assert.equal((await connection.response()).head.status, 200);
  });

  test('of a server that does not read what is sent', async () => {
    await using server = await RawServer.start((socket) => socket.pause());
    using client = await TestClient.to(server, true);
    const { connection } = client;
    connection.begin('POST', impatient);
    connection.write(Buffer.alloc(32 * 1024 * 1024));
    const sending = connection.flush();
    assert.ok(sending !== undefined);
    client.advance(1_100);
    await assert.rejects(sending, ReadTimeoutError);
    assert.deepEqual(client.owner.ends, [false]);
  });
});
