// aiohttp-ts, from the built package, as a user has it.

import { ClientSession } from 'aiohttp-ts/client';
import { messages, task } from '../messages.mjs';
import { check, measured } from './control.mjs';

const { program, compress } = task();
const message = messages[program];
const session = new ClientSession();

await measured(async (url) => {
  const ws = await session.wsConnect(url, { compress });
  return {
    async run(until) {
      let count = 0;
      do {
        if (typeof message === 'string') {
          await ws.sendStr(message);
          check(await ws.receiveStr());
        } else {
          await ws.sendBytes(/** @type {Buffer} */ (message));
          check(await ws.receiveBytes());
        }
        count++;
      } while (performance.now() < until);
      return count;
    },
  };
});
