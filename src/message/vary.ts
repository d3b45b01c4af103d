import { splitList } from './grammar.ts';
import type { CIMultiDict } from './multidict.ts';

/**
 * Adds a field name to Vary, unless it or `*` is there already: what a cache must compare before it gives the answer to another request
 * (RFC 9110 §12.5.5).
 *
 * @example
 * ```ts
 * addVary(response.headers, 'Accept-Encoding');
 * ```
 */
export function addVary(headers: CIMultiDict, name: string): void {
  const present = headers.getAll('Vary').join(', ');
  if (present === '') {
    headers.set('Vary', name);
    return;
  }
  const wanted = name.toLowerCase();
  for (const element of splitList(present)) {
    if (element === '*' || element.toLowerCase() === wanted) return;
  }
  headers.set('Vary', `${present}, ${name}`);
}
