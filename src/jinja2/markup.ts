const SPECIAL = /[&<>"']/;

/**
 * Text that is HTML already and must not be escaped again (MarkupSafe's `Markup`).
 *
 * Operators and string methods of templates keep it safe: what is joined with it, formatted into it or replaced in it gets escaped.
 *
 * @example
 * ```ts
 * import { Environment, Markup } from 'aiohttp-ts/jinja2';
 * new Environment().fromString('{{ a }}{{ b }}').render({ a: new Markup('<b>'), b: '<b>' }); // <b>&lt;b&gt;
 * ```
 */
export class Markup {
  /** The HTML. */
  readonly html: string;

  constructor(html: string) {
    this.html = html;
  }

  /** The HTML as a plain string. */
  toString(): string {
    return this.html;
  }

  /** JSON sees the plain string. */
  toJSON(): string {
    return this.html;
  }
}

/** Replaces `& < > " '` by references, as MarkupSafe does (`&#34;`, `&#39;`). */
export function escapeText(text: string): string {
  // One test for the common case, text without any of them.
  if (!SPECIAL.test(text)) return text;
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    let reference: string;
    switch (text.charCodeAt(i)) {
      case 38:
        reference = '&amp;';
        break;
      case 60:
        reference = '&lt;';
        break;
      case 62:
        reference = '&gt;';
        break;
      case 34:
        reference = '&#34;';
        break;
      case 39:
        reference = '&#39;';
        break;
      default:
        continue;
    }
    out += text.slice(from, i) + reference;
    from = i + 1;
  }
  return out + text.slice(from);
}

/** True for a value that brings its own HTML: a `Markup` or an object with a method `__html__`. */
export function hasHtml(value: unknown): value is Markup | { __html__(): string } {
  return (
    value instanceof Markup ||
    (typeof value === 'object' &&
      value !== null &&
      typeof (value as { __html__?: unknown }).__html__ === 'function')
  );
}

/** The HTML of a value for which {@link hasHtml} holds. */
export function htmlOf(value: Markup | { __html__(): string }): string {
  return value instanceof Markup ? value.html : String(value.__html__());
}
