import { randomBytes } from 'node:crypto';
import type * as web from '../web/index.ts';
import { wrongKind, wrongValue } from './errors.ts';

/** The directives of a Content-Security-Policy (CSP Level 3) that take sources or flags. */
export type CspDirective =
  | 'base-uri'
  | 'child-src'
  | 'connect-src'
  | 'default-src'
  | 'font-src'
  | 'form-action'
  | 'frame-ancestors'
  | 'frame-src'
  | 'img-src'
  | 'manifest-src'
  | 'media-src'
  | 'object-src'
  | 'report-to'
  | 'report-uri'
  | 'require-trusted-types-for'
  | 'sandbox'
  | 'script-src'
  | 'script-src-attr'
  | 'script-src-elem'
  | 'style-src'
  | 'style-src-attr'
  | 'style-src-elem'
  | 'trusted-types'
  | 'upgrade-insecure-requests'
  | 'worker-src';

/**
 * A policy: the values of each directive, `true` for one without values, `false` to leave out what is there by default. The value `"'nonce'"` stands for the
 * nonce of the request, see {@link cspNonce}.
 *
 * @example
 * ```ts
 * import { type CspDirectives, securityHeaders } from 'aiohttp-ts/security';
 * const policy: CspDirectives = {
 *   'script-src': ["'self'", "'nonce'", 'https://cdn.example.com'],
 *   'img-src': ["'self'", 'data:'],
 *   'upgrade-insecure-requests': true,
 * };
 * const prepare = securityHeaders({ contentSecurityPolicy: policy });
 * ```
 */
export type CspDirectives = { readonly [D in CspDirective]?: readonly string[] | boolean | undefined };

/** Sources that mean something only in single quotes; without them a browser takes them for a host. */
const keywords =
  /^(?:self|none|nonce|unsafe-inline|unsafe-eval|strict-dynamic|unsafe-hashes|report-sample|wasm-unsafe-eval|(?:nonce|sha256|sha384|sha512)-.*)$/;
const directiveName = /^[a-z][a-z-]*$/;
const value = /^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/; // visible characters but `,` and `;` (CSP3 §2.2)

/** A policy as text, ready for any nonce. */
export class CspText {
  readonly #pieces: readonly string[];

  /** @throws RangeError `AIO_CSP` for what cannot stand in a policy, or would not mean what it seems to */
  constructor(directives: CspDirectives) {
    const text = Object.entries(directives)
      .filter(([, values]) => values !== undefined && values !== false)
      .map(([name, values]) => directive(name, values === true ? [] : values))
      .join('; ');
    this.#pieces = text.split(/ ?'nonce'/);
  }

  /** The field's value. Without a nonce nothing of the page was given one, and the policy allows none. */
  of(nonce: string | undefined): string {
    const [first = '', ...rest] = this.#pieces;
    return rest.length === 0
      ? first
      : first + rest.map((piece) => (nonce === undefined ? piece : ` 'nonce-${nonce}'${piece}`)).join('');
  }
}

function directive(name: string, values: unknown): string {
  if (!directiveName.test(name))
    throw wrongValue('AIO_CSP', `'${name}' is no directive of a Content-Security-Policy.`);
  if (!Array.isArray(values)) {
    throw wrongKind('AIO_CSP', `${name} is a list of sources, true or false, got ${typeof values}.`);
  }
  for (const source of values as unknown[]) {
    if (typeof source !== 'string' || !value.test(source)) {
      throw wrongValue(
        'AIO_CSP',
        `${name} cannot hold ${JSON.stringify(source)}: a source has no space, comma or semicolon, and each stands alone in the list.`,
      );
    }
    if (keywords.test(source)) {
      throw wrongValue(
        'AIO_CSP',
        `${name} holds ${source} without single quotes, which browsers take for a host: write "'${source}'".`,
      );
    }
  }
  if (values.length > 1 && values.includes("'none'")) {
    throw wrongValue('AIO_CSP', `${name} holds 'none' beside other sources, which browsers ignore then.`);
  }
  return [name, ...values].join(' ');
}

const nonces = new WeakMap<web.BaseRequest, string>();

/**
 * The nonce of this request's answer, for `<script nonce="…">` and `<style nonce="…">`: 128 random bits, made when first asked for. The
 * policy of {@link securityHeaders} names it.
 *
 * @example
 * ```ts
 * const page = (request: web.Request) =>
 *   new web.Response({ contentType: 'text/html', text: `<script nonce="${cspNonce(request)}">start()</script>` });
 * ```
 */
export function cspNonce(request: web.BaseRequest): string {
  const asked = request.original;
  let nonce = nonces.get(asked);
  if (nonce === undefined) {
    nonce = randomBytes(16).toString('base64url');
    nonces.set(asked, nonce);
  }
  return nonce;
}

/** The nonce that was asked for while the answer was made. */
export function usedNonce(request: web.BaseRequest): string | undefined {
  return nonces.get(request.original);
}
