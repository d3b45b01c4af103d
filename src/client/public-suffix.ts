import { createRequire } from 'node:module';

type SuffixOf = (host: string, options: { readonly allowPrivateDomains: boolean }) => string | null;

let suffixOf: SuffixOf | undefined;

/**
 * Whether everybody can register names below this one (`com`, `co.uk`, `github.io`): a cookie for it would go to strangers. By the list
 * of publicsuffix.org, its private part too; a top level name that the list does not know counts as one.
 *
 * The list takes 30 ms to load and is loaded when this is first asked about a name with a dot: at the first cookie with a `Domain`. It is
 * `require`d, since the cookies of a response have to be in the jar before the next request is made.
 */
export function isPublicSuffix(domain: string): boolean {
  if (!domain.includes('.')) return true;
  suffixOf ??= (createRequire(import.meta.url)('tldts') as { getPublicSuffix: SuffixOf }).getPublicSuffix;
  return suffixOf(domain, { allowPrivateDomains: true }) === domain;
}
