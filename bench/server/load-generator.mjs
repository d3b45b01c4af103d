// A load generator on raw sockets, in a process of its own. It keeps `connections` open, sends `pipeline` copies of a
// request at once, waits for as many complete answers, and sends again. What is measured is the CPU time of the server,
// so it needs to be correct, not fast.

import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

/**
 * @typedef {object} Job
 * @property {number} port
 * @property {boolean} tls
 * @property {string} request one request, base64
 * @property {number} connections
 * @property {number} pipeline
 * @property {number} milliseconds
 *
 * @typedef {object} Result
 * @property {number} answers complete answers with status 200
 * @property {number} failures other answers, and connections that broke
 */

process.once('message', async (/** @type {Job} */ job) => {
  const result = await load(job);
  process.send?.(result, () => process.disconnect());
});

/**
 * @param {Job} job
 * @returns {Promise<Result>}
 */
async function load(job) {
  const one = Buffer.from(job.request, 'base64');
  const batch = Buffer.concat(new Array(job.pipeline).fill(one));
  const end = performance.now() + job.milliseconds;
  const result = { answers: 0, failures: 0 };
  const connections = [];
  for (let i = 0; i < job.connections; i++) connections.push(runConnection(job, batch, end, result));
  await Promise.all(connections);
  return result;
}

/**
 * @param {Job} job
 * @param {Buffer} batch
 * @param {number} end
 * @param {Result} result
 * @returns {Promise<void>}
 */
function runConnection(job, batch, end, result) {
  return new Promise((resolve) => {
    const socket = job.tls
      ? connectTls({ port: job.port, host: '127.0.0.1', rejectUnauthorized: false })
      : connect({ port: job.port, host: '127.0.0.1' });
    const finish = () => {
      clearTimeout(giveUp);
      socket.destroy();
      resolve();
    };
    const giveUp = setTimeout(() => {
      result.failures++;
      finish();
    }, job.milliseconds + 5_000);
    let rest = '';
    let waiting = 0;
    const send = () => {
      waiting = job.pipeline;
      socket.write(batch);
    };
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.once(job.tls ? 'secureConnect' : 'connect', send);
    socket.on('error', () => {});
    socket.on('close', () => {
      if (waiting > 0) result.failures++;
      finish();
    });
    socket.on('data', (/** @type {string} */ chunk) => {
      rest = rest === '' ? chunk : rest + chunk;
      let at = 0;
      for (let length = answerLength(rest, at); length > 0; length = answerLength(rest, at)) {
        if (rest.startsWith('HTTP/1.1 200', at)) result.answers++;
        else result.failures++;
        at += length;
        waiting--;
      }
      rest = rest.slice(at);
      if (waiting > 0) return;
      if (performance.now() >= end) finish();
      else send();
    });
  });
}

/**
 * The length of the complete answer that begins at `start`; 0 when more bytes are needed.
 * @param {string} data latin1
 * @param {number} start
 * @returns {number}
 */
function answerLength(data, start) {
  const headEnd = data.indexOf('\r\n\r\n', start);
  if (headEnd === -1) return 0;
  const head = data.slice(start, headEnd);
  const known = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (known === null) throw new Error(`an answer without Content-Length: ${head}`);
  const end = headEnd + 4 + Number(known[1]);
  return end <= data.length ? end - start : 0;
}
