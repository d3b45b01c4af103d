import type { Socket } from 'node:net';
import { suspend } from '../asyncio/index.ts';
import { fieldLine, type ParsedResponse } from '../http1/index.ts';
import type { CIMultiDictProxy } from '../message/index.ts';
import { ClientConnection } from './client-connection.ts';
import type { PhaseWait } from './happy-eyeballs.ts';
import { TimerWheel } from './timer-wheel.ts';

/** A proxy answered CONNECT with another status than 2xx. */
export class TunnelRefusedError extends Error {
  override readonly name: string = 'TunnelRefusedError';
  readonly code: string = 'AIO_TUNNEL_REFUSED';
  readonly status: number;
  readonly reason: string;
  readonly headers: CIMultiDictProxy;

  constructor(head: ParsedResponse) {
    super(`The proxy answered CONNECT with ${head.status} ${head.reason}`);
    this.status = head.status;
    this.reason = head.reason;
    this.headers = head.headers;
  }
}

/** The proxy sent bytes behind its answer: they cannot come from the target, to which nothing was said yet. */
export class TunnelDataError extends Error {
  override readonly name: string = 'TunnelDataError';
  readonly code: string = 'AIO_TUNNEL_DATA';

  constructor() {
    super('The proxy sent data in front of the first byte of the tunnel');
  }
}

/** Nothing is armed on it: the connections that it serves have no limits of their own. */
const NO_DEADLINES: TimerWheel = new TimerWheel(1_000, () => {});

export interface TunnelTarget {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Asks an HTTP proxy, on a connection to it, for a tunnel to `target` (RFC 9110 §9.3.6). Afterwards the socket is paused and
 * carries the target's bytes.
 *
 * @param fields - of the CONNECT request besides Host, `[name, value, …]`: Proxy-Authorization, for example
 * @throws TunnelRefusedError, TunnelDataError, ProtocolError, HeadError for fields that cannot be sent; the socket is destroyed then
 */
export function openTunnel(
  socket: Socket,
  target: TunnelTarget,
  fields: readonly string[],
  wait: PhaseWait = suspend,
): Promise<Socket> {
  const head = connectHead(target, fields);
  return wait<Socket>((resolve, reject) => {
    const connection = new ClientConnection(socket, NO_DEADLINES);
    establish(connection, head).then(resolve, (error) => {
      connection.close();
      reject(error);
    });
    return () => connection.close();
  }, 'proxy tunnel');
}

async function establish(connection: ClientConnection, head: string): Promise<Socket> {
  connection.begin('CONNECT');
  connection.write(head);
  const sent = connection.flush();
  connection.endRequest();
  if (sent !== undefined) await sent;
  for (;;) {
    const { head: answer } = await connection.response();
    if (answer.status === 101 || answer.status >= 300) throw new TunnelRefusedError(answer);
    if (answer.status < 200) continue;
    const { socket, buffered } = connection.upgrade();
    if (buffered.length > 0) throw new TunnelDataError();
    return socket;
  }
}

function connectHead({ host, port }: TunnelTarget, fields: readonly string[]): string {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  let head = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n`;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]!.toLowerCase() !== 'host') head += fieldLine(fields[index]!, fields[index + 1]!);
  }
  return `${head}\r\n`;
}
