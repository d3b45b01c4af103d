// What a writer of one role makes, a parser of the other reads: any messages, in any pieces, with any agreement about compression.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type DeflateParameters, FrameWriter, WSMsgType } from '../../src/websocket/index.ts';
import { foundAtLast } from './wire.ts';

interface Sent {
  readonly opcode: number;
  readonly data: string | Uint8Array;
  readonly compress: boolean | undefined;
}

const compress = fc.constantFrom(undefined, true, false);
/** Texts that repeat themselves, so that compression has something to find. */
const text = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 1, max: 3000 }))
  .map(([unit, times]) => unit.repeat(Math.min(times, Math.ceil(70_000 / (unit.length + 1)))));
const bytes = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 300 }))
  .map(([unit, times]) => Buffer.concat(Array.from({ length: times }, () => unit)));
const control = fc.uint8Array({ maxLength: 125 });

const message: fc.Arbitrary<Sent> = fc.oneof(
  fc.record({ opcode: fc.constant(WSMsgType.TEXT), data: text, compress }),
  fc.record({ opcode: fc.constant(WSMsgType.BINARY), data: bytes, compress }),
  fc.record({
    opcode: fc.constantFrom(WSMsgType.PING, WSMsgType.PONG),
    data: control,
    compress: fc.constant(undefined),
  }),
);

const agreement: fc.Arbitrary<DeflateParameters | undefined> = fc.option(
  fc.record({
    serverNoContextTakeover: fc.boolean(),
    clientNoContextTakeover: fc.boolean(),
    serverMaxWindowBits: fc.integer({ min: 8, max: 15 }),
    clientMaxWindowBits: fc.integer({ min: 8, max: 15 }),
  }),
  { nil: undefined },
);

function cut(whole: Buffer, places: readonly number[]): Uint8Array[] {
  const at = places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b);
  return [0, ...at].map((start, index) => Uint8Array.from(whole.subarray(start, at[index] ?? whole.length)));
}

describe('writer to parser', () => {
  for (const [from, to] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    test(`${from} to ${to}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(message, { minLength: 1, maxLength: 8 }),
          agreement,
          fc.array(fc.nat(200_000), { maxLength: 12 }),
          async (messages, deflate, places) => {
            const writer = new FrameWriter({ role: from, deflate, threshold: 64 });
            const frames: Uint8Array[] = [];
            for (const { opcode, data, compress: asked } of messages) {
              frames.push(...[await writer.frame(opcode, data, asked)].flat());
            }
            const pieces = cut(Buffer.concat(frames), places);
            const received = await foundAtLast(to, pieces, { deflate });
            assert.equal(received.length, messages.length);
            for (const [index, { opcode, data }] of messages.entries()) {
              const got = received[index]!;
              assert.equal(got.type, opcode);
              if (typeof data === 'string') assert.equal(got.data, data);
              else assert.ok(Buffer.from(data).equals(got.data as Uint8Array));
            }
          },
        ),
        { seed: 6455, numRuns: 150 },
      );
    });
  }
});

test('any bytes lead to messages or to an error with a close code, never to anything else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
      fc.constantFrom('server' as const, 'client' as const),
      agreement,
      async (pieces, role, deflate) => {
        try {
          await foundAtLast(role, pieces, { deflate, maxMsgSize: 100_000 });
        } catch (error) {
          const { name, closeCode } = error as { name?: string; closeCode?: number };
          assert.equal(name, 'WebSocketError');
          assert.ok([1002, 1007, 1008, 1009].includes(closeCode!), `${closeCode}`);
        }
      },
    ),
    { seed: 7692, numRuns: 3000 },
  );
});
