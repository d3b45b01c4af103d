import { StreamReader } from '../message/index.ts';
import type { ReceivedMessage } from '../net/index.ts';
import { decodedStream } from './decompress.ts';
import { observedStream } from './observed-stream.ts';
import type { ClientRequest } from './request.ts';

/**
 * The body of a response as its reader gets it: progress is told of the bytes of the wire, traces of those that come out.
 *
 * @param decoders codings to undo
 */
export function bodyStream(
  request: ClientRequest,
  { head, body }: ReceivedMessage,
  decoders: readonly string[] | undefined,
): StreamReader {
  const { settings, traces, messageOptions } = request;
  const { readBufferSize } = messageOptions;
  let stream = body instanceof StreamReader ? body : StreamReader.from(body ?? new Uint8Array(0));
  const { onDownloadProgress } = settings;
  if (onDownloadProgress !== undefined) {
    const total = head.contentLength === -1 ? undefined : head.contentLength;
    let loaded = 0;
    stream = observedStream(
      stream,
      (piece) => onDownloadProgress({ loaded: (loaded += piece.length), total }),
      readBufferSize,
    );
  }
  if (decoders !== undefined) stream = decodedStream(stream, decoders, readBufferSize);
  if (traces !== undefined) {
    const { method, url } = request;
    stream = observedStream(
      stream,
      async (piece) => {
        for (const trace of traces) await trace.responseChunkReceived(method, url, piece);
      },
      readBufferSize,
    );
  }
  return stream;
}
