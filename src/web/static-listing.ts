import { opendir } from 'node:fs/promises';
import { quotePath } from '../message/index.ts';
import type { OpenFile } from './file-open.ts';
import { Response } from './response.ts';
import { isDotfile, isServableName } from './static-name.ts';
import type { StaticRoot } from './static-root.ts';

/** A page names no more entries than this. */
const MAX_ENTRIES = 10_000;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/**
 * The page that lists a directory: what could be served from it, directories first to last by name and marked with a slash. Names are
 * anybody's: they are escaped, and the page may run nothing.
 *
 * @param directory the open directory
 * @param name its checked name, `''` for the root
 * @param prefix what stands before names in URLs, percent-encoded, without a slash at its end
 */
export async function listDirectory(
  root: StaticRoot,
  directory: OpenFile,
  name: string,
  prefix: string,
  showDotfiles: boolean,
): Promise<Response> {
  const entries: { readonly label: string; readonly name: string }[] = [];
  let isWhole = true;
  for await (const entry of await opendir(root.pathOfOpen(directory, name))) {
    if (!isServableName(entry.name, process.platform) || (!showDotfiles && isDotfile(entry.name))) continue;
    const below = name === '' ? entry.name : `${name}/${entry.name}`;
    let kind: 'file' | 'directory' | undefined;
    if (entry.isFile()) kind = 'file';
    else if (entry.isDirectory()) kind = 'directory';
    else if (entry.isSymbolicLink()) kind = await root.resolveLink(below);
    if (kind === undefined) continue;
    if (entries.length === MAX_ENTRIES) {
      isWhole = false;
      break;
    }
    entries.push({ label: kind === 'directory' ? `${entry.name}/` : entry.name, name: below });
  }
  entries.sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0));
  const items = entries.map(
    (entry) =>
      `<li><a href="${escapeHtml(`${prefix}/${quotePath(entry.name)}`)}${entry.label.endsWith('/') ? '/' : ''}">${escapeHtml(entry.label)}</a></li>\n`,
  );
  const title = escapeHtml(`Index of /${name}`);
  const rest = isWhole ? '' : `<p>Only ${MAX_ENTRIES} entries are shown.</p>\n`;
  const response = new Response({
    text:
      `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>${title}</title>\n</head>\n<body>\n` +
      `<h1>${title}</h1>\n<ul>\n${items.join('')}</ul>\n${rest}</body>\n</html>\n`,
    contentType: 'text/html',
  });
  response.headers.set('Content-Security-Policy', "default-src 'none'");
  response.headers.set('X-Content-Type-Options', 'nosniff');
  return response;
}
