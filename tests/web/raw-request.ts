import { connect } from 'node:net';

/**
 * Sends bytes to a port of this machine and gives back all that comes until the other side ends. With several pieces each one is sent when
 * the socket has taken the one before, or, if `signal` is given, when that text has come.
 */
export function rawRequest(
  port: number,
  pieces: string | readonly string[],
  signal?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    const queue = typeof pieces === 'string' ? [pieces] : [...pieces];
    const sendNext = (): void => {
      const piece = queue.shift();
      if (piece === undefined) return;
      socket.write(piece, 'latin1', signal === undefined ? () => setImmediate(sendNext) : undefined);
    };
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('connect', sendNext);
    socket.on('data', (text) => {
      answer += text;
      if (signal !== undefined && answer.includes(signal)) sendNext();
    });
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(answer);
      else reject(error);
    });
    socket.on('close', () => resolve(answer));
  });
}
