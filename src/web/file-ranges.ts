import { randomBytes } from 'node:crypto';
import { type ByteRange, formatContentRange, parseRange, resolveRange } from '../message/index.ts';

/** A piece of a file, and what is written before it. */
export interface FilePiece extends ByteRange {
  readonly preface: string;
}

/** What of a file is sent. */
export interface FileParts {
  readonly pieces: readonly FilePiece[];
  /** Written behind the last piece. */
  readonly ending: string;
  /** Bytes of all that. */
  readonly length: number;
  /** Content-Range of a single range. */
  readonly contentRange: string | undefined;
  /** The boundary of several ranges. */
  readonly boundary: string | undefined;
}

/**
 * What a Range field asks of a file: `undefined` is the whole of it, `'unsatisfiable'` a 416 (RFC 9110 §14.2).
 *
 * Ranges that overlap or touch are sent as one, in the place of the first of them (§15.3.7.2), so that no byte goes out twice: an answer is never
 * larger than the file and the headers of at most `MAX_RANGES` parts.
 *
 * @param contentType of each part
 */
export function selectParts(
  header: string | undefined,
  size: number,
  contentType: string,
): FileParts | 'unsatisfiable' | undefined {
  const parsed = parseRange(header);
  if (parsed.kind === 'none') return undefined;
  if (parsed.kind === 'invalid') return 'unsatisfiable';
  const ranges: ByteRange[] = [];
  for (const wanted of parsed.ranges) {
    const range = resolveRange(wanted, size);
    if (range !== undefined) merge(ranges, range);
  }
  const [first] = ranges;
  if (first === undefined) return 'unsatisfiable';
  if (ranges.length === 1) {
    return {
      pieces: [{ preface: '', start: first.start, end: first.end }],
      ending: '',
      length: first.end - first.start,
      contentRange: formatContentRange(first, size),
      boundary: undefined,
    };
  }
  return multipart(ranges, size, contentType);
}

/** Puts a range into a list of ranges that neither overlap nor touch. */
function merge(ranges: ByteRange[], range: ByteRange): void {
  let { start, end } = range;
  let place = ranges.length;
  for (let index = ranges.length - 1; index >= 0; index--) {
    const other = ranges[index]!;
    if (other.start > end || start > other.end) continue;
    start = Math.min(start, other.start);
    end = Math.max(end, other.end);
    ranges.splice(index, 1);
    place = index;
  }
  ranges.splice(place, 0, { start, end });
}

/** `multipart/byteranges` (RFC 9110 §14.6). Nobody who does not see the answer can know its boundary beforehand. */
function multipart(ranges: readonly ByteRange[], size: number, contentType: string): FileParts {
  const boundary = randomBytes(12).toString('hex');
  const pieces: FilePiece[] = [];
  let length = 0;
  for (const { start, end } of ranges) {
    const preface =
      `${pieces.length === 0 ? '' : '\r\n'}--${boundary}\r\n` +
      `Content-Type: ${contentType}\r\nContent-Range: ${formatContentRange({ start, end }, size)}\r\n\r\n`;
    length += preface.length + end - start;
    pieces.push({ preface, start, end });
  }
  const ending = `\r\n--${boundary}--\r\n`;
  return { pieces, ending, length: length + ending.length, contentRange: undefined, boundary };
}
