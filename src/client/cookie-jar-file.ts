import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { codedRangeError, shown } from '../message/index.ts';
import { Cookie, type CookieFields, type SameSite } from './stored-cookie.ts';

/** A full jar has at most 3300 cookies of 4 KiB and their attributes. */
const MAX_FILE_SIZE = 64 * 1_048_576;
const FORMAT = 1;

/**
 * Writes cookies as JSON, readable by the owner only: they are credentials. The file appears whole or not at all.
 */
export async function saveCookies(file: string | URL, cookies: Iterable<Cookie>): Promise<void> {
  const target = typeof file === 'string' ? file : fileURLToPath(file);
  const text = JSON.stringify({ format: FORMAT, cookies: Array.from(cookies, toRecord) }, undefined, 1);
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${text}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Reads what {@link saveCookies} wrote. Nothing in the file is ever run (CVE-2026-34993), and nothing of it is believed unlooked.
 * @throws RangeError `AIO_COOKIE_FILE` when it holds something else
 */
export async function loadCookies(file: string | URL): Promise<Cookie[]> {
  const { size } = await stat(file);
  if (size > MAX_FILE_SIZE) throw refused(`it has ${size} bytes, allowed are ${MAX_FILE_SIZE}`);
  let data: unknown;
  try {
    data = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw refused('it is not JSON'); // the cause would quote values
  }
  if (!isRecord(data) || data['format'] !== FORMAT || !Array.isArray(data['cookies'])) {
    throw refused(`it is not { format: ${FORMAT}, cookies: […] }`);
  }
  return data['cookies'].map(toCookie);
}

function toRecord(cookie: CookieFields): Record<string, unknown> {
  const { name, codedValue, domain, path, hostOnly, secure, httpOnly, partitioned, sameSite, expires } =
    cookie;
  return {
    name,
    value: codedValue,
    domain,
    path,
    hostOnly,
    secure,
    httpOnly,
    partitioned,
    sameSite,
    expires,
  };
}

// What can stand in a Cookie field: the file may have been edited.
const NAME = /^[\x20-\x3a\x3c\x3e-\x7e\x80-\xff]+$/;
const VALUE = /^[\x20-\x3a\x3c-\x7e\x80-\xff]*$/;
const PATH = /^\/[^\x00-\x1f\x7f;]*$/;
const DOMAIN = /^[\x21-\x3a\x3c-\x7e]*$/;

function toCookie(record: unknown, index: number): Cookie {
  if (!isRecord(record)) throw refused(`cookie ${index} is no object`);
  const text = (key: string, allowed: RegExp): string => {
    const value = record[key];
    if (typeof value === 'string' && allowed.test(value)) return value;
    // A value is a secret and not shown.
    throw refused(
      `cookie ${index} has a ${key} that no cookie has${key === 'value' ? '' : `: ${shown(value)}`}`,
    );
  };
  const flag = (key: string): boolean => {
    const value = record[key] ?? false;
    if (typeof value === 'boolean') return value;
    throw refused(`${key} of cookie ${index} is neither true nor false`);
  };
  const { expires, sameSite } = record;
  if (expires !== undefined && !(typeof expires === 'number' && Number.isFinite(expires))) {
    throw refused(`expires of cookie ${index} is not a number of milliseconds`);
  }
  if (sameSite !== undefined && !isSameSite(sameSite))
    throw refused(`sameSite of cookie ${index} is unknown`);
  return new Cookie({
    name: text('name', NAME),
    codedValue: text('value', VALUE),
    domain: text('domain', DOMAIN),
    path: text('path', PATH),
    hostOnly: flag('hostOnly'),
    secure: flag('secure'),
    httpOnly: flag('httpOnly'),
    partitioned: flag('partitioned'),
    sameSite,
    expires,
  });
}

function isSameSite(value: unknown): value is SameSite {
  return value === 'Strict' || value === 'Lax' || value === 'None';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(why: string): RangeError {
  return codedRangeError('AIO_COOKIE_FILE', `this is no file of a cookie jar: ${why}`);
}
