import { pipeline, Readable } from 'node:stream';
import { type BodySource, createEncoder } from '../message/index.ts';

/** Codings that a request's body can be sent in. */
export type CompressCoding = 'gzip' | 'deflate';

/** A source whose pieces are those of another one, compressed. Ending it ends the other one. */
export function compressed(source: BodySource, coding: CompressCoding): BodySource {
  const encoder = createEncoder(coding);
  // Errors reach the one who reads the encoder.
  return pipeline(Readable.from(source, { objectMode: false }), encoder, () => {});
}
