// Random sequences of frames, most of them wrong somewhere: the parser and the Receiver of ws find the same messages and the same error.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as ws from 'ws';
import { found, framesFor, parserFor, type RawFrame, type Role } from './wire.ts';

interface Receiver {
  write(chunk: Uint8Array): boolean;
  on(event: string, listener: (...values: never[]) => void): this;
}

/** The types of ws leave it out. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Receiver };

function foundByWs(role: Role, bytes: Uint8Array): Promise<string[]> {
  const lines: string[] = [];
  const receiver = new Receiver({
    isServer: role === 'server',
    maxPayload: 200,
    allowSynchronousEvents: true,
  });
  const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
  return new Promise((resolve) => {
    receiver.on('message', (data: Buffer, isBinary: boolean) =>
      lines.push(isBinary ? `binary ${hex(data)}` : `text ${data}`),
    );
    receiver.on('ping', (data: Buffer) => lines.push(`ping ${hex(data)}`));
    receiver.on('pong', (data: Buffer) => lines.push(`pong ${hex(data)}`));
    receiver.on('conclude', (code: number, reason: Buffer) =>
      lines.push(`close ${code === 1005 ? 0 : code} ${reason}`.trim()),
    );
    receiver.on('error', (error: Error) => {
      const status = Object.getOwnPropertySymbols(error).find(
        ({ description }) => description === 'status-code',
      )!;
      lines.push(`error ${(error as unknown as Record<symbol, number>)[status]}`);
      resolve(lines);
    });
    receiver.write(Buffer.from(bytes));
    setImmediate(() => resolve(lines));
  });
}

const often = <T>(value: T, others: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: others });

const frame: fc.Arbitrary<RawFrame> = fc.record({
  opcode: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(0, 0, 1, 1, 2, 8, 9, 10) },
    { weight: 1, arbitrary: fc.nat(15) },
  ),
  fin: fc.boolean(),
  rsv: often(0, fc.nat(7)),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.constantFrom(
      Buffer.of(3, 232),
      Buffer.of(3, 238),
      Buffer.of(15, 160, 195),
      'x'.repeat(126),
      'y'.repeat(201),
    ),
  ),
});

test('as the Receiver of ws', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { minLength: 1, maxLength: 7 }),
      fc.constantFrom('server' as const, 'client' as const),
      fc.boolean(),
      async (frames, role, rightlyMasked) => {
        const bytes = framesFor(rightlyMasked ? role : role === 'server' ? 'client' : 'server', frames);
        const parser = parserFor(role, { maxMsgSize: 200 });
        const theirs = await foundByWs(role, bytes);
        parser.feed(Buffer.from(bytes));
        const ours = found(parser, Number.POSITIVE_INFINITY);
        assert.deepEqual(ours, theirs);
      },
    ),
    { seed: 13, numRuns: 2000 },
  );
});
