// ws. It gives texts as bytes; an application wants a string, as the other client gives it.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { messages, task } from '../messages.mjs';
import { check, measured } from './control.mjs';

const { program, compress } = task();
const message = /** @type {string | Buffer} */ (messages[program]);

await measured(async (url) => {
  const socket = new WebSocket(url, {
    maxPayload: 4_194_304,
    perMessageDeflate: compress && { serverNoContextTakeover: true, clientNoContextTakeover: true },
  });
  await once(socket, 'open');
  let until = 0;
  let count = 0;
  /** @type {(count: number) => void} */
  let done = () => {};
  socket.on('message', (data, isBinary) => {
    check(isBinary ? data : data.toString());
    count++;
    if (performance.now() < until) socket.send(message);
    else done(count);
  });
  return {
    run(end) {
      until = end;
      count = 0;
      socket.send(message);
      return new Promise((resolve) => {
        done = resolve;
      });
    },
  };
});
