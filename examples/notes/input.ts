// What people and programs send, checked. A problem is a sentence for the person who can mend it, by the name of its field.

import { FileField, type Request } from 'aiohttp-ts/web';

export type Problems = Readonly<Record<string, string>>;

/** What was sent, as it can be shown again, and what is wrong with it. */
export interface Checked<T> {
  readonly values: T;
  /** `undefined`: nothing. */
  readonly problems: Problems | undefined;
}

export interface NoteInput {
  readonly title: string;
  readonly body: string;
}

export interface AccountInput {
  readonly name: string;
  readonly password: string;
}

/** The fields of a form: the first of each name, and no files. */
export async function formOf(request: Request): Promise<Readonly<Record<string, string>>> {
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of await request.post()) {
    if (!(value instanceof FileField) && !(name in fields)) fields[name] = value;
  }
  return fields;
}

export function checkNote(input: Readonly<Record<string, unknown>>): Checked<NoteInput> {
  const problems: Record<string, string> = {};
  const title = textOf(input['title']).trim();
  // Forms send the line breaks of HTTP.
  const body = textOf(input['body']).replaceAll('\r\n', '\n').trim();
  if (title === '') problems['title'] = 'A note needs a title.';
  else if (title.length > 120) problems['title'] = 'A title has at most 120 characters.';
  if (body === '') problems['body'] = 'A note needs some text.';
  else if (body.length > 10_000) problems['body'] = 'A text has at most 10,000 characters.';
  return { values: { title, body }, problems: unlessEmpty(problems) };
}

export function checkAccount(input: Readonly<Record<string, unknown>>): Checked<AccountInput> {
  const problems: Record<string, string> = {};
  const name = textOf(input['name']).trim().normalize('NFC');
  const password = textOf(input['password']);
  if (!/^[\p{L}\p{N}][\p{L}\p{M}\p{N}_.-]{1,31}$/u.test(name)) {
    problems['name'] = 'A name has 2 to 32 letters, digits, dots, hyphens and underscores.';
  }
  if (password.length < 10) problems['password'] = 'A password has at least ten characters.';
  else if (password.length > 1000) problems['password'] = 'A password has at most a thousand characters.';
  return { values: { name, password }, problems: unlessEmpty(problems) };
}

/** A page of a list; 1 for everything that is none. */
export function pageOf(request: Request): number {
  const page = Number(request.query.get('page') ?? 1);
  return Number.isSafeInteger(page) && page >= 1 ? page : 1;
}

/** Databases keep no NUL, and lone surrogates are no text. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value).toString().replaceAll('\0', '') : '';
}

function unlessEmpty(problems: Problems): Problems | undefined {
  return Object.keys(problems).length === 0 ? undefined : problems;
}
