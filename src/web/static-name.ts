// A segment that is empty, `.` or `..`; a backslash, which Windows takes for a slash; NUL and other controls.
const FORBIDDEN = /(?:^|\/)\.{0,2}(?:\/|$)|[\0-\x1f\x7f\\]/;
// Windows: characters of no file name (`C:`, `file::$DATA`), names that lose their end when opened, and devices, whatever their extension.
const WINDOWS_FORBIDDEN =
  /[<>:"|?*]|[. ](?:\/|$)|(?:^|\/)(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$)[ ]*(?:[./]|$)/i;
// RFC 8615 names are there to be asked for.
const DOTFILE = /(?:^|\/)\.(?!well-known(?:\/|$))/;

/**
 * Whether a decoded path below a root may be looked for at all: segments joined by single slashes, none of which leads elsewhere or means
 * something else to the system than to whoever reads the URL. Browsers have normalised their paths: what still holds `..` is an attack.
 *
 * @param name without the slashes at its ends
 */
export function isServableName(name: string, platform: NodeJS.Platform): boolean {
  return !FORBIDDEN.test(name) && (platform !== 'win32' || !WINDOWS_FORBIDDEN.test(name));
}

/** Whether a segment begins with a dot; `.well-known` does not count (RFC 8615). */
export function isDotfile(name: string): boolean {
  return DOTFILE.test(name);
}

/**
 * Whether a file that was found under `asked` is really called something else, which happens where the case of letters, or the Unicode form, makes no
 * difference to the system: rules that compare paths would not know the file by that name.
 */
export function isOtherSpelling(asked: string, real: string): boolean {
  return asked !== real && spelling(asked) === spelling(real);
}

function spelling(path: string): string {
  return path.normalize('NFC').toLowerCase();
}
