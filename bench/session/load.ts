// Visitors with a session each, who ask again as soon as they have their answer.

import { once } from 'node:events';
import { connect } from 'node:net';

const visitors = 32;

/** Begins a session for each visitor; gives their Cookie fields. */
export async function beginSessions(port: number): Promise<string[]> {
  const cookies: string[] = [];
  for (let index = 0; index < visitors; index++) {
    const response = await fetch(`http://127.0.0.1:${port}/begin`);
    await response.text();
    const [line] = response.headers.getSetCookie();
    if (response.status !== 200 || line === undefined)
      throw new Error(`/begin gave ${response.status} and no cookie`);
    cookies.push(line.split(';')[0]!);
  }
  return cookies;
}

/** Asks for `path` with all cookies at once, each on a connection of its own, and again, for so long. Gives the number of answers. */
export async function visit(
  port: number,
  path: string,
  cookies: string[],
  milliseconds: number,
): Promise<number> {
  const end = performance.now() + milliseconds;
  const counts = await Promise.all(cookies.map((_, index) => visitAgain(port, path, cookies, index, end)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function visitAgain(
  port: number,
  path: string,
  cookies: string[],
  index: number,
  end: number,
): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('latin1');
  await once(socket, 'connect');
  let answers = 0;
  return await new Promise((resolve, reject) => {
    let rest = '';
    const send = (): void => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookies[index]}\r\n\r\n`);
    };
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the server closed the connection: ${rest.slice(0, 200)}`)));
    socket.on('data', (chunk: string) => {
      rest += chunk;
      const headEnd = rest.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const head = rest.slice(0, headEnd);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
      if (!(rest.length >= headEnd + 4 + length)) return;
      const body = rest.slice(headEnd + 4, headEnd + 4 + length);
      if (!head.startsWith('HTTP/1.1 200') || body !== 'ann@example.org') {
        socket.removeAllListeners('close').destroy();
        reject(new Error(`${path} gave ${head.split('\r\n')[0]} ${JSON.stringify(body.slice(0, 100))}`));
        return;
      }
      // A session that lives in its cookie comes back in it.
      const cookie = /\r\nset-cookie: *([^;\r]+)/i.exec(head)?.[1];
      if (cookie !== undefined) cookies[index] = cookie;
      rest = '';
      answers++;
      if (performance.now() < end) send();
      else {
        socket.removeAllListeners('close').destroy();
        resolve(answers);
      }
    });
    send();
  });
}
