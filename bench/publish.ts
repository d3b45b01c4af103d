import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Puts `text` between the comments `<!-- bench NAME -->` and `<!-- /bench NAME -->` of a document. */
export function replaceIn(document: string, name: string, text: string): void {
  const file = path.join(root, document);
  const before = readFileSync(file, 'utf8');
  const [start, end] = [`<!-- bench ${name} -->`, `<!-- /bench ${name} -->`];
  if (!before.includes(start) || !before.includes(end))
    throw new Error(`${document} has no place for ${start}`);
  const after = `${before.slice(0, before.indexOf(start) + start.length)}\n\n${text}\n${before.slice(before.indexOf(end))}`;
  writeFileSync(file, after);
}
