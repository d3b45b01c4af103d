// Load on a server of files, in a process of its own: `connections` sockets that ask for a file again as soon as they have it whole. Bodies are
// counted and not kept.

import { connect } from 'node:net';

/**
 * @typedef {object} Job
 * @property {number} port
 * @property {string} path
 * @property {number} size bytes that each answer must have
 * @property {number} connections
 * @property {number} milliseconds
 */

process.once('message', async (/** @type {Job} */ job) => {
  const end = performance.now() + job.milliseconds;
  const counts = await Promise.all(Array.from({ length: job.connections }, () => runConnection(job, end)));
  process.send?.({ answers: counts.reduce((sum, count) => sum + count, 0) }, () => process.disconnect());
});

/**
 * @param {Job} job
 * @param {number} end
 * @returns {Promise<number>} whole answers
 */
function runConnection(job, end) {
  return new Promise((resolve, reject) => {
    const request = `GET ${job.path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n`;
    let answers = 0;
    let head = '';
    let missing = -1;
    const socket = connect({
      port: job.port,
      host: '127.0.0.1',
      onread: {
        buffer: Buffer.allocUnsafe(262_144),
        callback(count, buffer) {
          let from = 0;
          if (missing === -1) {
            head += buffer.latin1Slice(0, count);
            const headEnd = head.indexOf('\r\n\r\n');
            if (headEnd === -1) return true;
            const length = /^HTTP\/1\.1 200 [\s\S]*\r\ncontent-length: *(\d+)/i.exec(head.slice(0, headEnd));
            if (Number(length?.[1]) !== job.size) {
              socket.destroy();
              reject(new Error(`not the file: ${JSON.stringify(head.slice(0, 300))}`));
              return false;
            }
            from = count - (head.length - headEnd - 4);
            missing = job.size;
            head = '';
          }
          missing -= count - from;
          if (missing > 0) return true;
          answers++;
          missing = -1;
          if (performance.now() < end) {
            socket.write(request);
          } else {
            resolve(answers);
            socket.destroy();
          }
          return true;
        },
      },
    });
    socket.setNoDelay(true);
    socket.on('connect', () => socket.write(request));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
  });
}
