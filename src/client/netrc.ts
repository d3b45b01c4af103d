import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { BasicAuth } from './auth.ts';

/** A netrc file is a page; what is longer is none. */
const MAX_SIZE = 1_048_576;

/** What one entry says. */
interface Entry {
  login: string;
  password: string;
}

/**
 * Credentials by host, from a file that curl, ftp and git read as well. Only the exact host counts; the `default` entry counts for
 * hosts without one of their own.
 *
 * Source: Python's `netrc`, which `aiohttp`'s `trust_env` uses.
 *
 * @example
 * ```ts
 * const netrc = Netrc.parse('machine example.org login ada password secret');
 * netrc.credentialsFor('example.org')?.encode(); // 'Basic YWRhOnNlY3JldA=='
 * ```
 */
export class Netrc {
  readonly #machines: ReadonlyMap<string, BasicAuth>;
  readonly #fallback: BasicAuth | undefined;

  private constructor(machines: ReadonlyMap<string, BasicAuth>, fallback: BasicAuth | undefined) {
    this.#machines = machines;
    this.#fallback = fallback;
  }

  /** Takes a file's text apart. Lenient: what is not understood is passed over. Never throws. */
  static parse(text: string): Netrc {
    const machines = new Map<string, BasicAuth>();
    let fallback: BasicAuth | undefined;
    let host: string | undefined;
    let entry: Entry | undefined;
    const finish = (): void => {
      if (entry === undefined || (entry.login === '' && entry.password === '')) return;
      // A colon would move into the password (RFC 7617 §2).
      if (entry.login.includes(':')) return;
      const auth = new BasicAuth(entry.login, entry.password);
      if (host === undefined) fallback ??= auth;
      else if (!machines.has(host)) machines.set(host, auth);
    };
    const tokens = tokensOf(text);
    for (let i = 0; i < tokens.length; i++) {
      const keyword = tokens[i]!;
      if (keyword === 'machine' || keyword === 'default') {
        finish();
        host = keyword === 'machine' ? (tokens[++i] ?? '').toLowerCase() : undefined;
        entry = { login: '', password: '' };
      } else if (keyword === 'login' || keyword === 'user') {
        const login = tokens[++i];
        if (entry !== undefined && login !== undefined) entry.login = login;
      } else if (keyword === 'password') {
        const password = tokens[++i];
        if (entry !== undefined && password !== undefined) entry.password = password;
      } else if (keyword === 'account') {
        i++;
      }
    }
    finish();
    return new Netrc(machines, fallback);
  }

  /**
   * Reads the file that the variable `NETRC` names, or `.netrc` (`_netrc` on Windows too) in the home directory. `undefined` when
   * there is none that can be read.
   */
  static read(environment: Readonly<Record<string, string | undefined>> = process.env): Netrc | undefined {
    const named = environment['NETRC'];
    const home = homedir();
    const files =
      named !== undefined && named !== ''
        ? [named]
        : ['.netrc', ...(process.platform === 'win32' ? ['_netrc'] : [])].map((name) =>
            path.join(home, name),
          );
    for (const file of files) {
      try {
        const text = readFileSync(file, 'utf8');
        if (text.length <= MAX_SIZE) return Netrc.parse(text);
      } catch {
        // There is none, or it is not ours to read: then there are no credentials.
      }
    }
    return undefined;
  }

  credentialsFor(host: string): BasicAuth | undefined {
    return this.#machines.get(host.toLowerCase()) ?? this.#fallback;
  }
}

/** Words, quoted strings and escapes; comments and macros are left out. */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  let inMacro = false;
  for (const line of text.split(/\r?\n/)) {
    // A macro ends at an empty line.
    if (inMacro) {
      inMacro = line.trim() !== '';
      continue;
    }
    for (const [word] of line.matchAll(/"(?:[^"\\]|\\.)*"?|(?:[^\s\\]|\\.)+/g)) {
      // A password may begin with #: only at a place for a keyword does it begin a comment.
      if (word.startsWith('#') && !expectsValue(tokens.at(-1), tokens.at(-2))) break;
      if (word === 'macdef') {
        inMacro = true;
        break;
      }
      const bare = word.startsWith('"') ? word.replace(/^"|"$/g, '') : word;
      tokens.push(bare.replace(/\\(.)/g, '$1'));
    }
  }
  return tokens;
}

const WITH_VALUE: ReadonlySet<string> = new Set(['machine', 'login', 'user', 'password', 'account']);

function expectsValue(last: string | undefined, before: string | undefined): boolean {
  return last !== undefined && WITH_VALUE.has(last) && !(before !== undefined && WITH_VALUE.has(before));
}
