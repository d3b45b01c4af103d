/** The text of a stream. */
export function joinPieces(pieces: Iterable<string>): string {
  let out = '';
  for (const piece of pieces) out += piece;
  return out;
}

/** The text of an asynchronous stream. */
export async function joinPiecesAsync(pieces: AsyncIterable<string>): Promise<string> {
  let out = '';
  for await (const piece of pieces) out += piece;
  return out;
}
