// ws. It gives texts as bytes; an application wants a string, as the other server gives it.

import { WebSocketServer } from 'ws';
import { task } from '../messages.mjs';
import { ready } from './control.mjs';

const { compress } = task();
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  maxPayload: 4_194_304,
  perMessageDeflate: compress && { serverNoContextTakeover: true, clientNoContextTakeover: true },
});
server.on('connection', (socket) => {
  socket.on('error', console.error);
  socket.on('message', (data, isBinary) => socket.send(isBinary ? data : data.toString()));
});
server.on('listening', () => ready(/** @type {import('node:net').AddressInfo} */ (server.address()).port));
