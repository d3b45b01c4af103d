import { ValueError } from '../errors.ts';

/** The highest character of each encoding besides UTF-8. */
const HIGHEST: Readonly<Record<string, number>> = { ascii: 0x7f, 'latin-1': 0xff };
const ALIASES: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  'us-ascii': 'ascii',
  latin1: 'latin-1',
  'iso-8859-1': 'latin-1',
};

function encodingNamed(name: string): string {
  const lower = name.toLowerCase().replaceAll('_', '-');
  const known = ALIASES[lower] ?? lower;
  if (known !== 'utf-8' && HIGHEST[known] === undefined) throw new ValueError(`unknown encoding: ${name}`);
  return known;
}

/** `text.encode(encoding, errors)` for UTF-8, ASCII and Latin-1. */
export function encode(text: string, encoding: string, errors: string): Uint8Array {
  const name = encodingNamed(encoding);
  const highest = HIGHEST[name];
  if (highest === undefined) return new TextEncoder().encode(text);
  const bytes: number[] = [];
  for (const [at, character] of [...text].entries()) {
    const code = character.codePointAt(0) as number;
    if (code <= highest) bytes.push(code);
    else if (errors === 'replace') bytes.push(0x3f);
    else if (errors === 'xmlcharrefreplace') bytes.push(...new TextEncoder().encode(`&#${code};`));
    else if (errors !== 'ignore') {
      throw new ValueError(
        `'${name}' codec can't encode character '${character}' in position ${at}: ordinal not in range(${highest + 1})`,
      );
    }
  }
  return Uint8Array.from(bytes);
}

/** `bytes.decode(encoding, errors)`. */
export function decode(bytes: Uint8Array, encoding: string, errors: string): string {
  const name = encodingNamed(encoding);
  const highest = HIGHEST[name];
  if (highest === undefined) {
    try {
      const text = new TextDecoder('utf-8', { fatal: errors === 'strict', ignoreBOM: true }).decode(bytes);
      return errors === 'ignore' ? text.replaceAll('\ufffd', '') : text;
    } catch {
      throw new ValueError("'utf-8' codec can't decode the bytes: they are not UTF-8");
    }
  }
  let out = '';
  for (const byte of bytes) {
    if (byte <= highest) out += String.fromCharCode(byte);
    else if (errors === 'replace') out += '\ufffd';
    else if (errors !== 'ignore')
      throw new ValueError(`'${name}' codec can't decode byte 0x${byte.toString(16)}`);
  }
  return out;
}

/** Bytes as Python's `repr` writes them. */
export function quoteBytes(bytes: Uint8Array): string {
  const known: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? '"' : "'";
  let out = `b${quote}`;
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    if (character === quote) out += `\\${quote}`;
    else
      out +=
        known[byte] ?? (byte < 32 || byte > 126 ? `\\x${byte.toString(16).padStart(2, '0')}` : character);
  }
  return out + quote;
}
