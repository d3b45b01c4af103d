// The wire against the package ws, on real sockets, in both directions, with every kind of agreement about compression.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, test } from 'node:test';
import { type PerMessageDeflateOptions, WebSocket, WebSocketServer } from 'ws';
import {
  acceptOf,
  acceptOffers,
  checkAnswer,
  checkRequest,
  checkUpgradeAnswer,
  type DeflateOptions,
  type DeflateParameters,
  ERROR,
  type Frame,
  FrameParser,
  FrameWriter,
  MESSAGE,
  makeKey,
  offer,
  WSMsgType,
} from '../../src/websocket/index.ts';

type Data = string | Uint8Array;

/** The smallest thing that speaks WebSocket with this wire: gives out messages, answers pings and close frames. */
class RawPeer {
  readonly writer: FrameWriter;
  private readonly parser: FrameParser;
  private readonly socket: Socket;
  private readonly onMessage: (data: Data) => void;
  closed: string | undefined;

  constructor(
    socket: Socket,
    role: 'server' | 'client',
    deflate: DeflateParameters | undefined,
    onMessage: (data: Data) => void,
  ) {
    this.socket = socket;
    this.onMessage = onMessage;
    this.closed = undefined;
    this.writer = new FrameWriter({ role, deflate, threshold: 32 });
    const options = { role, deflate, maxMsgSize: 0, decodeText: true, ready: () => this.read() };
    this.parser = new FrameParser(options);
    socket.on('data', (chunk: Buffer) => {
      this.parser.feed(chunk);
      this.read();
    });
  }

  send(data: Data, compress?: boolean): void {
    this.write(
      this.writer.frame(typeof data === 'string' ? WSMsgType.TEXT : WSMsgType.BINARY, data, compress),
    );
  }

  close(code: number, reason: string): void {
    this.write(this.writer.close(code, reason));
  }

  private write(frame: Frame | Promise<Frame>): void {
    if (frame instanceof Promise) void frame.then((bytes) => this.write(bytes));
    else for (const part of [frame].flat()) this.socket.write(part);
  }

  private read(): void {
    for (;;) {
      const state = this.parser.next();
      if (state === ERROR) {
        this.closed = this.parser.error!.message;
        this.socket.destroy();
        return;
      }
      if (state !== MESSAGE) return;
      const message = this.parser.message!;
      if (message.type === WSMsgType.PING) this.write(this.writer.frame(WSMsgType.PONG, message.data));
      else if (message.type === WSMsgType.CLOSE) {
        this.closed = `${message.data} ${message.extra}`;
        this.write(message.data === 0 ? this.writer.close() : this.writer.close(message.data));
        this.socket.end();
      } else if (message.type === WSMsgType.TEXT || message.type === WSMsgType.BINARY) {
        this.onMessage(message.data);
      }
    }
  }
}

function noise(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => Math.imul(index + 1, 2_654_435_761) >>> 24));
}

const MESSAGES: readonly Data[] = [
  '',
  'hello',
  'é'.repeat(50),
  JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `name ${id}` }))),
  'x'.repeat(65_536),
  Buffer.alloc(0),
  noise(125),
  noise(126),
  noise(70_000),
  Buffer.alloc(300_000, 'abcdefgh'),
  'the last, like the first ones: hello hello hello hello hello hello',
];

function same(data: Data, expected: Data): void {
  if (typeof expected === 'string') assert.equal(data, expected);
  else assert.ok(typeof data !== 'string' && Buffer.from(data).equals(expected));
}

async function closedServer(server: { close(done: () => void): unknown }): Promise<void> {
  await new Promise<void>((resolve) => server.close(resolve));
}

describe('this server, clients of ws', () => {
  const agreements: readonly (readonly [
    string,
    DeflateOptions | undefined,
    PerMessageDeflateOptions | boolean,
    extensions: string,
  ])[] = [
    ['no compression', undefined, true, ''],
    ['none offered', {}, false, ''],
    ['without context takeover', {}, true, 'permessage-deflate'],
    ['with context takeover', { contextTakeover: true }, true, 'permessage-deflate'],
    [
      "only the client's context",
      { contextTakeover: true },
      { serverNoContextTakeover: true },
      'permessage-deflate',
    ],
    [
      "only the server's context",
      { contextTakeover: true },
      { clientNoContextTakeover: true },
      'permessage-deflate',
    ],
    [
      'small windows of the server',
      { contextTakeover: true, windowBits: 9 },
      { threshold: 0 },
      'permessage-deflate',
    ],
    [
      'small windows of the client',
      { contextTakeover: true },
      { clientMaxWindowBits: 9, serverMaxWindowBits: 10, threshold: 0 },
      'permessage-deflate',
    ],
    [
      'the smallest windows',
      { windowBits: 8 },
      { clientMaxWindowBits: 8, serverMaxWindowBits: 8, threshold: 0 },
      'permessage-deflate',
    ],
  ];
  for (const [name, wanted, perMessageDeflate, extensions] of agreements) {
    test(name, async () => {
      const peers: RawPeer[] = [];
      const server = createServer().listen(0, '127.0.0.1');
      server.on('upgrade', ({ headers }, socket: Socket) => {
        const key = headers['sec-websocket-key'];
        const { upgrade, connection } = headers;
        assert.equal(
          checkRequest({ upgrade, connection, version: headers['sec-websocket-version'], key }),
          undefined,
        );
        const agreed =
          wanted === undefined ? undefined : acceptOffers(headers['sec-websocket-extensions'], wanted);
        const field = agreed === undefined ? '' : `Sec-WebSocket-Extensions: ${agreed.header}\r\n`;
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key!)}\r\n${field}\r\n`,
        );
        const peer = new RawPeer(socket, 'server', agreed?.parameters, (data) => peer.send(data));
        peers.push(peer);
      });
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate });
      await once(socket, 'open');
      assert.equal(socket.extensions, extensions);
      const received: Data[] = [];
      const all = new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.on('message', (data: Buffer, isBinary) => {
          received.push(isBinary ? data : data.toString());
          if (received.length === MESSAGES.length + 1) resolve();
        });
      });
      for (const data of MESSAGES) socket.send(data);
      for (const part of ['in ', 'three ', 'fragments']) socket.send(part, { fin: part === 'fragments' });
      await all;
      for (const [index, data] of [...MESSAGES, 'in three fragments'].entries()) same(received[index]!, data);
      socket.ping('p');
      const [pong] = (await once(socket, 'pong')) as [Buffer];
      assert.equal(pong.toString(), 'p');
      socket.close(4000, 'done');
      const [code] = (await once(socket, 'close')) as [number];
      assert.equal(code, 4000);
      assert.equal(peers[0]?.closed, '4000 done');
      await closedServer(server);
    });
  }
});

describe('this client, servers of ws', () => {
  const agreements: readonly (readonly [
    string,
    DeflateOptions | undefined,
    PerMessageDeflateOptions | boolean,
  ])[] = [
    ['none offered', undefined, true],
    ['declined', {}, false],
    ['without context takeover', {}, { threshold: 0 }],
    ['with context takeover', { contextTakeover: true }, { threshold: 0 }],
    ["only the client's context", { contextTakeover: true }, { serverNoContextTakeover: true }],
    ["only the server's context", { contextTakeover: true }, { clientNoContextTakeover: true }],
    ['small windows offered', { contextTakeover: true, windowBits: 9 }, { threshold: 0 }],
    [
      'small windows demanded',
      { contextTakeover: true },
      { clientMaxWindowBits: 9, serverMaxWindowBits: 10, threshold: 0 },
    ],
    ['the smallest windows', { windowBits: 8 }, { threshold: 0 }],
  ];
  for (const [name, offered, perMessageDeflate] of agreements) {
    test(name, async () => {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate });
      server.on('connection', (socket) => {
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      await once(server, 'listening');
      const key = makeKey();
      const upgrading = request({
        host: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
        headers: {
          Upgrade: 'websocket',
          Connection: 'Upgrade',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': key,
          ...(offered === undefined ? {} : { 'Sec-WebSocket-Extensions': offer(offered) }),
        },
      }).end();
      const [{ statusCode, headers }, socket] = (await once(upgrading, 'upgrade')) as [
        { statusCode: number; headers: Record<string, string | undefined> },
        Socket,
      ];
      const { upgrade, connection } = headers;
      assert.equal(
        checkUpgradeAnswer(
          { status: statusCode, upgrade, connection, accept: headers['sec-websocket-accept'] },
          key,
        ),
        undefined,
      );
      const deflate = checkAnswer(headers['sec-websocket-extensions'], offered);
      assert.equal(deflate !== undefined, offered !== undefined && perMessageDeflate !== false);
      const received: Data[] = [];
      let peer: RawPeer | undefined;
      await new Promise<void>((resolve) => {
        peer = new RawPeer(socket, 'client', deflate, (data) => {
          received.push(data);
          if (received.length === MESSAGES.length * 2) resolve();
        });
        for (const data of MESSAGES) peer.send(data);
        for (const data of MESSAGES) peer.send(data, true);
        socket.on('close', resolve);
      });
      assert.equal(peer?.closed, undefined);
      for (const [index, data] of [...MESSAGES, ...MESSAGES].entries()) same(received[index]!, data);
      const closed = once(socket, 'close');
      peer?.close(1000, 'bye');
      await closed;
      assert.equal(peer?.closed, '1000 bye');
      await closedServer(server);
    });
  }
});
