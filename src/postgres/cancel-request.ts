import { connect as connectSocket, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** Where a connection's server is, and how to talk to it. */
export interface CancelTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | undefined;
  readonly processId: number;
  readonly secretKey: number;
}

/** PostgreSQL §55.2.8 and §55.7: special protocol numbers in a message without a type byte. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const CANCEL_REQUEST = 80_877_102;

/**
 * Asks the server to stop what a connection is doing, over a connection of its own. Ends when the server has passed it on. The key goes over TLS when
 * the connection itself does.
 */
export function requestCancel(target: CancelTarget, timeout: number): Promise<void> {
  const { host, port, tls, processId, secretKey } = target;
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL_REQUEST, 4);
  message.writeInt32BE(processId, 8);
  message.writeInt32BE(secretKey, 12);
  return new Promise((resolve, reject) => {
    const plain = host.startsWith('/')
      ? connectSocket({ path: `${host}/.s.PGSQL.${port}` })
      : connectSocket({ host, port });
    let last: Socket = plain;
    const timer = setTimeout(
      () => last.destroy(new Error('the server did not take the cancel request')),
      timeout,
    );
    const watch = (socket: Socket): void => {
      last = socket;
      socket.on('error', reject);
      socket.on('close', () => {
        clearTimeout(timer);
        plain.destroy();
        resolve(); // after an error it is rejected already
      });
    };
    watch(plain);
    if (tls === undefined) {
      plain.end(message);
      plain.resume();
      return;
    }
    plain.write(SSL_REQUEST);
    plain.once('data', (answer) => {
      if (answer.toString('latin1') !== 'S') {
        plain.destroy(new Error('the server does not speak TLS'));
        return;
      }
      const secure = connectTls({ ...tls, socket: plain, host }, () => secure.end(message));
      secure.resume();
      watch(secure);
    });
  });
}
