import { SPACES } from './space.ts';

const ENTITIES: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  reg: '®',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  laquo: '«',
  raquo: '»',
  euro: '€',
  trade: '™',
};

/** References of HTML back to characters. */
export function unescapeHtml(html: string): string {
  return html.replace(
    /&(?:#(\d+)|#[xX]([0-9a-fA-F]+)|(\w+));?/g,
    (whole, decimal, hex, name: string | undefined) => {
      if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] as string) : whole;
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)
        ? '\ufffd'
        : String.fromCodePoint(code);
    },
  );
}

/** HTML without comments and tags, white space collapsed. */
export function stripTags(html: string): string {
  let text = html;
  // Comments go first, one at a time from the left: a pattern could be led astray by `<!-->`.
  for (let start = text.indexOf('<!--'); start >= 0; start = text.indexOf('<!--')) {
    const end = text.indexOf('-->', start);
    if (end < 0) break;
    text = text.slice(0, start) + text.slice(end + 3);
  }
  for (let start = text.indexOf('<'); start >= 0; start = text.indexOf('<')) {
    const end = text.indexOf('>', start);
    if (end < 0) break;
    text = text.slice(0, start) + text.slice(end + 1);
  }
  return unescapeHtml(
    text
      .split(SPACES)
      .filter((part) => part !== '')
      .join(' '),
  );
}
