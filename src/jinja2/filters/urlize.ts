import { escapeText } from '../markup.ts';

/** Settings of `urlize`, ready for use. */
export interface UrlizeOptions {
  /** How many characters of a URL are shown; undefined for all. */
  readonly limit: number | undefined;
  readonly rel: string;
  readonly target: string | undefined;
  /** More prefixes that make a URL, such as `tel:`. */
  readonly schemes: readonly string[];
}

/** A host: names and a top-level domain of letters, a well-known domain without a scheme, or an address with one. */
const NAMED = '(?:https?://|www\\.)(?:[\\w%-]+\\.)*(?:[a-z]{2,63}|xn--[\\w%]{2,59})';
const BARE = '(?:[\\w%-]{2,63}\\.)+(?:com|net|int|edu|gov|org|info|mil)';
const NUMERIC = 'https?://(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[(?:[\\da-f]{0,4}:){2}(?:[\\da-f]{0,4}:?){1,6}\\])';
const URL_PATTERN = new RegExp(`^(?:${NAMED}|${BARE}|${NUMERIC})(?::\\d{1,5})?(?:[/?#]\\S*)?$`, 'i');
const EMAIL = /^\S+@\w[\w.-]*\.\w+$/;

function balance(head: string, middle: string, tail: string): [string, string, string] {
  let kept = middle;
  let rest = tail;
  for (const [open, close] of [
    ['(', ')'],
    ['<', '>'],
    ['&lt;', '&gt;'],
  ] as const) {
    const opened = kept.split(open).length - 1;
    if (opened <= kept.split(close).length - 1) continue;
    // A bracket that is opened in the address is closed in it, as far as the tail has it.
    for (let i = 0; i < Math.min(opened, rest.split(close).length - 1); i++) {
      const end = rest.indexOf(close) + close.length;
      kept += rest.slice(0, end);
      rest = rest.slice(end);
    }
  }
  return [head, kept, rest];
}

/** Makes links of addresses in HTML; `html` is escaped already. */
export function urlize(html: string, options: UrlizeOptions): string {
  const rel = options.rel === '' ? '' : ` rel="${escapeText(options.rel)}"`;
  const target = options.target === undefined ? '' : ` target="${escapeText(options.target)}"`;
  const shown = (address: string): string => {
    const characters = [...address];
    return options.limit !== undefined && characters.length > options.limit
      ? `${characters.slice(0, options.limit).join('')}...`
      : address;
  };
  const words = html.split(/(\s+)/u);
  return words
    .map((word) => {
      const start = /^(?:[(<]|&lt;)+/.exec(word)?.[0] ?? '';
      let middle = word.slice(start.length);
      let tail = '';
      // Only a word that ends so can have a tail: the pattern costs too much otherwise.
      if (/(?:[)>.,\n]|&gt;)$/.test(middle)) {
        tail = /(?:[)>.,\n]|&gt;)+$/.exec(middle)?.[0] ?? '';
        middle = middle.slice(0, middle.length - tail.length);
      }
      const [head, address, rest] = balance(start, middle, tail);
      const link = linkOf(address, rel, target, shown, options.schemes);
      return head + (link ?? address) + rest;
    })
    .join('');
}

function linkOf(
  address: string,
  rel: string,
  target: string,
  shown: (address: string) => string,
  schemes: readonly string[],
): string | undefined {
  if (URL_PATTERN.test(address)) {
    const href = /^https?:\/\//i.test(address) ? address : `https://${address}`;
    return `<a href="${href}"${rel}${target}>${shown(address)}</a>`;
  }
  if (address.startsWith('mailto:') && EMAIL.test(address.slice(7))) {
    return `<a href="${address}">${address.slice(7)}</a>`;
  }
  if (
    address.includes('@') &&
    !address.startsWith('www.') &&
    !address.includes(':') &&
    !address.startsWith('@') &&
    EMAIL.test(address)
  ) {
    return `<a href="mailto:${address}">${address}</a>`;
  }
  for (const scheme of schemes) {
    if (address !== scheme && address.startsWith(scheme))
      return `<a href="${address}"${rel}${target}>${address}</a>`;
  }
  return undefined;
}
