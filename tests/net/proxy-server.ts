import { connect, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { RawServer } from './raw-server.ts';

function pipe(one: Socket, other: Socket): void {
  one.pipe(other);
  other.pipe(one);
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    socket.on('error', () => peer.destroy());
    socket.on('close', () => peer.destroy());
  }
}

/** A proxy that answers CONNECT with a tunnel, wherever it leads. `seen` holds the heads of requests. */
export async function httpProxy(
  options: { tls?: TlsOptions; authorization?: string; answer?: string } = {},
): Promise<{ server: RawServer; seen: string[] }> {
  const seen: string[] = [];
  const server = await RawServer.start(
    (socket) => {
      let text = '';
      const onData = (chunk: Buffer): void => {
        text += chunk.toString('latin1');
        if (!text.includes('\r\n\r\n')) return;
        socket.off('data', onData);
        seen.push(text);
        if (options.answer !== undefined) {
          socket.write(options.answer);
          return;
        }
        if (options.authorization !== undefined && !text.includes(options.authorization)) {
          socket.end(
            'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="test"\r\nContent-Length: 4\r\n\r\nnope',
          );
          return;
        }
        const [, host = '', port = ''] = /^CONNECT \[?([^\s\]]+)\]?:(\d+) /.exec(text) ?? [];
        const target = connect(Number(port), host === 'target.test' ? '127.0.0.1' : host);
        target.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'));
        target.on('connect', () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          pipe(socket, target);
        });
      };
      socket.on('data', onData);
    },
    options.tls === undefined ? {} : { tls: options.tls },
  );
  return { server, seen };
}

/** A SOCKS5 proxy (RFC 1928). `seen` holds the targets, with the kind of address. */
export async function socksProxy(
  options: { login?: readonly [string, string]; reply?: number; cut?: number; raw?: Buffer } = {},
): Promise<{ server: RawServer; seen: string[] }> {
  const seen: string[] = [];
  const server = await RawServer.start((socket) => {
    let got: Buffer = Buffer.alloc(0);
    let step: 'methods' | 'login' | 'connect' = 'methods';
    const say = (...bytes: number[]): void => {
      // Byte by byte, so that nothing relies on messages coming in one piece.
      for (const byte of bytes) socket.write(Buffer.of(byte));
    };
    const onData = (chunk: Buffer): void => {
      got = Buffer.concat([got, chunk]);
      if (options.raw !== undefined) {
        socket.end(options.raw);
        return;
      }
      if (step === 'methods') {
        if (got.length < 2 || got.length < 2 + got[1]!) return;
        const offered = [...got.subarray(2, 2 + got[1]!)];
        got = got.subarray(2 + got[1]!);
        const wanted = options.login === undefined ? 0 : 2;
        if (!offered.includes(wanted)) {
          say(5, 0xff);
          socket.end();
          return;
        }
        step = wanted === 2 ? 'login' : 'connect';
        say(5, wanted);
      }
      if (step === 'login') {
        if (got.length < 2 || got.length < 3 + got[1]!) return;
        const size = got[1]!;
        const secretSize = got[2 + size]!;
        if (got.length < 3 + size + secretSize) return;
        const name = got.subarray(2, 2 + size).toString();
        const secret = got.subarray(3 + size, 3 + size + secretSize).toString();
        got = got.subarray(3 + size + secretSize);
        const right = name === options.login![0] && secret === options.login![1];
        say(1, right ? 0 : 1);
        if (!right) {
          socket.end();
          return;
        }
        step = 'connect';
      }
      if (got.length < 5) return;
      const kind = got[3]!;
      const size = kind === 1 ? 4 : kind === 4 ? 16 : 1 + got[4]!;
      if (got.length < 6 + size) return;
      socket.off('data', onData);
      const address = got.subarray(4, 4 + size);
      const host =
        kind === 1
          ? address.join('.')
          : kind === 3
            ? address.subarray(1).toString()
            : address.toString('hex').replace(/(.{4})(?!$)/g, '$1:');
      const port = got.readUInt16BE(4 + size);
      seen.push(`${kind} ${host} ${port}`);
      if (options.reply !== undefined) {
        say(5, options.reply, 0, 1, 0, 0, 0, 0, 0, 0);
        socket.end();
        return;
      }
      const target = connect(port, host === 'target.test' ? '127.0.0.1' : host);
      target.on('error', () => socket.destroy());
      target.on('connect', () => {
        say(5, 0, 0, 3, 4, 0x74, 0x65, 0x73, 0x74, 0, 80);
        pipe(socket, target);
      });
    };
    socket.on('data', onData);
  });
  return { server, seen };
}
