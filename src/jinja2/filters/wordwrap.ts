import { splitLines } from '../methods/text.ts';
import { countCharacters } from '../sequences.ts';

/** Pieces between which a line may break: words (parted at hyphens between letters) and the spaces between them. */
function chunksOf(line: string, onHyphens: boolean): string[] {
  const chunks: string[] = [];
  for (const piece of line.split(/([\t\n\v\f\r ]+)/)) {
    if (piece === '') continue;
    if (!onHyphens || /^[\t\n\v\f\r ]/.test(piece)) chunks.push(piece);
    else {
      const parts =
        piece.match(
          /.*?(?:(?<=[\p{L}]{2})-(?=[\p{L}])|(?<=[\p{L}]-[\p{L}])-(?=[\p{L}])|(?<=[\w!"'&.,?])-{2,}(?=\w)|-{2,}(?=\w)|$)/gu,
        ) ?? [];
      for (const part of parts) if (part !== '') chunks.push(part);
    }
  }
  return chunks;
}

function wrapLine(line: string, width: number, breakLong: boolean, onHyphens: boolean): string[] {
  const chunks = chunksOf(line, onHyphens).reverse();
  const lines: string[] = [];
  while (chunks.length > 0) {
    const current: string[] = [];
    let length = 0;
    if (lines.length > 0 && (chunks[chunks.length - 1] as string).trim() === '') chunks.pop();
    while (chunks.length > 0) {
      const size = countCharacters(chunks[chunks.length - 1] as string);
      if (length + size > width) break;
      current.push(chunks.pop() as string);
      length += size;
    }
    const next = chunks[chunks.length - 1];
    if (next !== undefined && countCharacters(next) > width) {
      const room = width < 1 ? 1 : width - length;
      if (breakLong) {
        const characters = [...next];
        let at = room;
        if (onHyphens && room > 0 && characters.length > room) {
          const hyphen = characters.lastIndexOf('-', room - 1);
          if (hyphen > 0 && characters.slice(0, hyphen).some((character) => character !== '-'))
            at = hyphen + 1;
        }
        current.push(characters.slice(0, at).join(''));
        chunks[chunks.length - 1] = characters.slice(at).join('');
        if (chunks[chunks.length - 1] === '') chunks.pop();
      } else if (current.length === 0) current.push(chunks.pop() as string);
    }
    if (current.length > 0 && (current[current.length - 1] as string).trim() === '') current.pop();
    if (current.length > 0) lines.push(current.join(''));
    else if (chunks.length === 0) break;
  }
  return lines;
}

/** Lines of at most `width` characters; lines that the text has already stay apart. */
export function wordWrap(
  text: string,
  width: number,
  breakLong: boolean,
  glue: string,
  onHyphens: boolean,
): string {
  return splitLines(text)
    .map((line) => wrapLine(line, Math.max(1, width), breakLong, onHyphens).join(glue))
    .join(glue);
}
