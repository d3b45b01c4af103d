// Faults that other programs had with multipart forms, each with its number.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { web } from '../../src/index.ts';
import { FormServer, form, formPart } from './form-server.ts';
import { rawRequest } from './raw-request.ts';

const serve = (): Promise<FormServer> =>
  FormServer.start(async (request, tempDir) => web.jsonResponse((await request.post({ tempDir })).size));

const bodies: readonly [advisory: string, body: () => string, status: number][] = [
  ['CVE-2024-30251: a body cut inside a part ends', () => formPart('a', 'x').slice(0, -3), 400],
  ['CVE-2024-30251: a body cut inside header lines ends', () => '--b\r\nContent-Disposition: form-', 400],
  ['CVE-2025-69227: a part without a name is refused', () => form('--b\r\nA: 1\r\n\r\nx\r\n'), 400],
  ['CVE-2025-69228: one huge field is refused', () => form(formPart('a', 'x'.repeat(2_000_000))), 413],
  [
    'CVE-2026-34516: a part with very many header lines',
    () => form(`--b\r\n${'A: 1\r\n'.repeat(129)}\r\n\r\n`),
    413,
  ],
  [
    'CVE-2026-34516: a part with a very long header line',
    () => form(`--b\r\nA: ${'x'.repeat(17_000)}\r\n\r\n\r\n`),
    413,
  ],
  [
    'CVE-2026-34517: very many small parts',
    () => form(...Array.from({ length: 1001 }, () => formPart('a', ''))),
    413,
  ],
  [
    'CVE-2026-34514: a line end in a header line',
    () => form('--b\r\nContent-Type: text/plain\nX: 1\r\n\r\nx\r\n'),
    400,
  ],
  ['a field of bytes that are no text', () => form(formPart('a', '\xff')), 400],
];

describe('advisories on multipart', { timeout: 300_000 }, () => {
  for (const [advisory, body, status] of bodies) {
    test(advisory, async () => {
      await using server = await serve();
      const answer = await server.post(body());
      assert.equal(answer.status, status, await answer.text());
      assert.deepEqual(server.logger.errors, []);
      await server.untilClean();
    });
  }

  test('CVE-2025-69229: a body in pieces of one byte takes linear time', async () => {
    await using server = await FormServer.start(
      async (request) => web.jsonResponse((await request.post()).getAll('a').length),
      { clientMaxSize: 0 },
    );
    const whole = form(formPart('a', 'x'.repeat(300_000)), formPart('a', '\r\n--'.repeat(1000)));
    const head =
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunks = [...whole].map((byte) => `1\r\n${byte}\r\n`).join('');
    const answer = await rawRequest(server.port, `${head}${chunks}0\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 200 .*\r\n2$/s);
  });
});
