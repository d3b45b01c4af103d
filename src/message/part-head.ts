import { trimWhitespace } from './grammar.ts';
import { CIMultiDict, type CIMultiDictProxy, sameName } from './multidict.ts';
import { MultipartError } from './multipart-error.ts';

// Every character of a line can be matched in one way only, so this is linear.
const LINES = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/;
const SHORTEST_LINE = 4;

/**
 * The header lines of a part, as text whose characters stand for bytes (latin1, as all header fields here). Fields are cut out of it when somebody
 * asks: most parts are asked for one or two.
 */
export class PartHead {
  private readonly text: string;
  private fields: CIMultiDict | undefined;

  /**
   * @param text Lines, each with its CRLF, without the empty one.
   * @throws MultipartError for anything that is no field line: no colon, folded, with a control character, a line end other than CRLF.
   */
  constructor(text: string, maxHeaders: number) {
    if (!LINES.test(text)) {
      throw new MultipartError('AIO_MULTIPART_HEADER', 'The header lines of a part are malformed.');
    }
    if (text.length > maxHeaders * SHORTEST_LINE && countLines(text) > maxHeaders) {
      throw new MultipartError(
        'AIO_MULTIPART_HEADERS_TOO_LARGE',
        `A part has more than ${maxHeaders} header lines.`,
      );
    }
    this.text = text;
    this.fields = undefined;
  }

  get headers(): CIMultiDictProxy {
    this.fields ??= CIMultiDict.fromRaw(this.split());
    return this.fields;
  }

  /** One field by its lower-case name, repeats joined by `', '`, without building `headers`. */
  header(name: string): string | undefined {
    const { text } = this;
    let found: string | undefined;
    for (let line = 0; line < text.length; ) {
      const end = text.indexOf('\r', line);
      const colon = line + name.length;
      if (text.charCodeAt(colon) === 0x3a && sameName(text.slice(line, colon), name)) {
        const value = trimWhitespace(text, colon + 1, end);
        found = found === undefined ? value : `${found}, ${value}`;
      }
      line = end + 2;
    }
    return found;
  }

  private split(): string[] {
    const { text } = this;
    const raw: string[] = [];
    for (let line = 0; line < text.length; ) {
      const end = text.indexOf('\r', line);
      const colon = text.indexOf(':', line);
      raw.push(text.slice(line, colon), trimWhitespace(text, colon + 1, end));
      line = end + 2;
    }
    return raw;
  }
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\r'); at !== -1; at = text.indexOf('\r', at + 2)) lines++;
  return lines;
}
