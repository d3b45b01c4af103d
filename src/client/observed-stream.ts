import { outside } from '../asyncio/index.ts';
import { StreamReader } from '../message/index.ts';

/**
 * A stream with the same bytes as another one; `observe` is told of every piece on its way, and what it throws (or rejects with) ends
 * the stream.
 */
export function observedStream(
  source: StreamReader,
  observe: (piece: Uint8Array) => unknown,
  limit: number | undefined,
): StreamReader {
  let resume: (() => void) | undefined;
  let paused = false;
  const target = new StreamReader(
    {
      pause: () => {
        paused = true;
      },
      resume: () => {
        paused = false;
        resume?.();
      },
    },
    limit,
  );
  const run = async (): Promise<void> => {
    for (let piece = await source.readChunk(); piece !== undefined; piece = await source.readChunk()) {
      await observe(piece);
      target.feedData(piece);
      if (paused) {
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
      }
    }
    target.feedEof();
  };
  outside(() => {
    run().catch((error: Error) => target.setException(error));
  });
  return target;
}
