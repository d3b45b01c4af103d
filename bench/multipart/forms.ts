// The bodies that are sent, and how.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

/** As long as those of browsers. */
const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gW0';
const chunk = randomBytes(65_536);

/** A body: what stands before, a chunk that is sent again and again, and what stands behind. */
export interface Body {
  readonly head: string;
  readonly size: number;
  readonly tail: string;
}

/** A form of many small fields. */
export function smallFields(count: number): Body {
  const fields = Array.from(
    { length: count },
    (_, index) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="field${index}"\r\n\r\nvalue of the field ${index}\r\n`,
  );
  return { head: fields.join(''), size: 0, tail: `--${boundary}--\r\n` };
}

/** A form of one file of random bytes. */
export function oneFile(size: number): Body {
  return {
    head: `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    size,
    tail: `\r\n--${boundary}--\r\n`,
  };
}

/** Posts a body and gives the text of the answer. */
export async function send(port: number, path: string, body: Body): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  const ended = new Promise<void>((resolve, reject) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.on('close', () => resolve()).on('error', reject);
  });
  await once(socket, 'connect');
  const length = body.head.length + body.size + body.tail.length;
  const type = `Content-Type: multipart/form-data; boundary=${boundary}`;
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n${type}\r\nContent-Length: ${length}\r\n\r\n${body.head}`,
  );
  for (let sent = 0; sent < body.size; sent += chunk.length) {
    if (!socket.write(chunk.subarray(0, body.size - sent))) await once(socket, 'drain');
  }
  socket.write(body.tail);
  await ended;
  const [head = '', text = ''] = answer.split('\r\n\r\n');
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(`${path} was answered with ${answer}`);
  return text;
}
