/** Longest name that common file systems take, in bytes of UTF-8. */
const MAX_BYTES = 255;
/** Behind the last dot; what is longer is no extension. */
const MAX_EXTENSION_BYTES = 32;

const CONTROLS_AND_BIDI = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const FORBIDDEN_ON_WINDOWS = /[<>:"|?*]/g;
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)/i;

/**
 * Makes a name that a client sent fit to be the name of a file in a directory, on every system: the last part of a path of either kind,
 * without control and invisible characters, `<>:"|?*` replaced by `_`, no leading dots (`.htaccess`), no trailing dots and spaces, no device name
 * of Windows (`NUL.txt`), at most 255 bytes of UTF-8 (the extension stays), in Unicode's form NFC. Never empty: `'file'` is what is left of nothing.
 *
 * It does not make the name unique, and says nothing about what the file holds.
 *
 * @example
 * ```ts
 * safeFileName('../../etc/passwd'); // 'passwd'
 * safeFileName('C:\\docs\\a?.txt'); // 'a_.txt'
 * safeFileName('aux.txt'); // '_aux.txt'
 * safeFileName('..'); // 'file'
 * ```
 */
export function safeFileName(name: string): string {
  const visible = name
    .replace(/\p{Surrogate}/gu, '_')
    .replace(CONTROLS_AND_BIDI, '')
    .normalize('NFC');
  const base = visible.slice(Math.max(visible.lastIndexOf('/'), visible.lastIndexOf('\\')) + 1);
  let safe = trimmedEnd(base.trimStart().replace(FORBIDDEN_ON_WINDOWS, '_'));
  if (safe === '') return 'file';
  if (safe.startsWith('.')) safe = `_${safe.replace(/^\.+/, '')}`;
  if (DEVICE.test(safe)) safe = `_${safe}`;
  return shortened(safe);
}

/** Without the dots and spaces at its end, which Windows drops. By hand: a regular expression would try again at each of many spaces. */
function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /[\s.]/.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

function shortened(name: string): string {
  if (name.length * 3 <= MAX_BYTES || Buffer.byteLength(name) <= MAX_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const tail = dot > 0 ? name.slice(dot) : '';
  const extension = Buffer.byteLength(tail) <= MAX_EXTENSION_BYTES ? tail : '';
  const room = MAX_BYTES - Buffer.byteLength(extension);
  let stem = '';
  let size = 0;
  for (const char of name) {
    size += Buffer.byteLength(char);
    if (size > room) break;
    stem += char;
  }
  return `${extension === '' ? trimmedEnd(stem) : stem}${extension}`;
}
