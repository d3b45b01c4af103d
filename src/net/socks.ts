import { isIP, isIPv4, type Socket } from 'node:net';
import { suspend } from '../asyncio/index.ts';
import type { PhaseWait } from './happy-eyeballs.ts';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USERNAME_PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;
const CONNECT = 1;
const IPV4 = 1;
const DOMAIN = 3;
const IPV6 = 4;

/** RFC 1928 §6. */
const REPLIES: readonly string[] = [
  'succeeded',
  'general failure',
  'connection not allowed by its rules',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'time to live expired',
  'command not supported',
  'address type not supported',
];

/** A SOCKS5 proxy refused, or did not speak as it should. */
export class SocksError extends Error {
  override readonly name: string = 'SocksError';
  readonly code: string = 'AIO_SOCKS';
  /** The reply's number (RFC 1928 §6), when there was one. */
  readonly reply: number | undefined;

  constructor(message: string, reply?: number) {
    super(`SOCKS proxy: ${message}`);
    this.reply = reply;
  }
}

export interface SocksTarget {
  /** A name, which the proxy resolves, or an address. */
  readonly host: string;
  readonly port: number;
}

export interface SocksCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Asks a SOCKS5 proxy, on a connection to it, for one to `target` (RFC 1928, RFC 1929). Afterwards the socket is paused and
 * carries the target's bytes.
 *
 * @throws SocksError; the socket is destroyed when the wait is cancelled
 */
export async function socksConnect(
  socket: Socket,
  target: SocksTarget,
  credentials: SocksCredentials | undefined,
  wait: PhaseWait = suspend,
): Promise<void> {
  // Built first: what cannot be said is found out before anything is said.
  const request = connectRequest(target);
  const login = credentials === undefined ? undefined : loginRequest(credentials);
  const methods = login === undefined ? [NO_AUTHENTICATION] : [NO_AUTHENTICATION, USERNAME_PASSWORD];
  const chosen = await exchange(socket, Buffer.from([VERSION, methods.length, ...methods]), () => 2, wait);
  if (chosen[0] !== VERSION) throw new SocksError(`answered with version ${chosen[0]} instead of 5`);
  const method = chosen[1]!;
  if (method === USERNAME_PASSWORD && login !== undefined) {
    const verdict = await exchange(socket, login, () => 2, wait);
    if (verdict[1] !== 0) throw new SocksError('the user name or password was refused');
  } else if (method !== NO_AUTHENTICATION) {
    throw new SocksError(
      method === NONE_ACCEPTABLE
        ? `accepts none of the ways to authenticate${login === undefined ? ' without a user name' : ''}`
        : `chose authentication method ${method}, which was not offered`,
    );
  }
  const reply = await exchange(socket, request, replySize, wait);
  if (reply[0] !== VERSION) throw new SocksError(`answered with version ${reply[0]} instead of 5`);
  const code = reply[1]!;
  if (code !== 0) throw new SocksError(REPLIES[code] ?? `reply ${code}`, code);
}

/** RFC 1928 §4. */
function connectRequest({ host, port }: SocksTarget): Buffer {
  const head = [VERSION, CONNECT, 0];
  const tail = [port >> 8, port & 0xff];
  if (isIP(host) === 0) {
    const name = Buffer.from(host, 'latin1');
    if (name.length > 255) throw new SocksError('the host name is longer than 255 bytes');
    return Buffer.from([...head, DOMAIN, name.length, ...name, ...tail]);
  }
  if (isIPv4(host)) return Buffer.from([...head, IPV4, ...host.split('.').map(Number), ...tail]);
  return Buffer.from([...head, IPV6, ...ipv6Bytes(host), ...tail]);
}

/** RFC 1929 §2. */
function loginRequest({ username, password }: SocksCredentials): Buffer {
  const name = Buffer.from(username, 'utf8');
  const secret = Buffer.from(password, 'utf8');
  if (name.length === 0 || name.length > 255 || secret.length > 255) {
    throw new SocksError('user name and password are at most 255 bytes long, and the name is not empty');
  }
  return Buffer.from([1, name.length, ...name, secret.length, ...secret]);
}

/** Size of a reply as far as it is known; a failure may end behind its code. */
function replySize(got: Buffer): number {
  if (got.length < 5) return got.length >= 2 && got[1] !== 0 ? 2 : 5;
  if (got[1] !== 0) return 2;
  const kind = got[3];
  if (kind === IPV4) return 10;
  if (kind === IPV6) return 22;
  if (kind === DOMAIN) return 7 + got[4]!;
  throw new SocksError(`answered with address type ${kind}`);
}

function ipv6Bytes(address: string): number[] {
  const [plain = ''] = address.split('%');
  // The URL parser writes an address without dots and with one '::' at most.
  const text = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const [front = '', back] = text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((digits) => Number.parseInt(digits, 16));
  const first = groups(front);
  const last = back === undefined ? [] : groups(back);
  const zeros = new Array<number>(8 - first.length - last.length).fill(0);
  return [...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]);
}

/** Sends a message and reads the answer, whose size `sizeOf` tells of what has come. */
function exchange(
  socket: Socket,
  message: Buffer,
  sizeOf: (got: Buffer) => number,
  wait: PhaseWait,
): Promise<Buffer> {
  return wait<Buffer>((resolve, reject) => {
    let got: Buffer = Buffer.alloc(0);
    const unlisten = (): void => {
      socket.off('data', onData).off('error', failed).off('end', onEnd).off('close', onEnd);
      socket.pause();
    };
    const failed = (error: Error): void => {
      unlisten();
      socket.destroy();
      reject(error);
    };
    const onEnd = (): void => failed(new SocksError('closed the connection'));
    const onData = (chunk: Buffer): void => {
      got = Buffer.concat([got, chunk]);
      let size: number;
      try {
        size = sizeOf(got);
      } catch (error) {
        failed(error as Error);
        return;
      }
      if (got.length < size) return;
      // A failure is followed by an address that nobody needs; anything else came too early.
      if (got.length > size && size !== 2) {
        failed(new SocksError('sent more than its answer'));
        return;
      }
      unlisten();
      resolve(got);
    };
    socket.on('data', onData).on('error', failed).on('end', onEnd).on('close', onEnd);
    socket.resume();
    socket.write(message);
    return () => {
      unlisten();
      socket.destroy();
    };
  }, 'SOCKS proxy');
}
