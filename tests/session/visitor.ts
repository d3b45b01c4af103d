// A browser as far as sessions matter: it keeps cookies and sends them back.

import type * as web from '../../src/web/index.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  readonly setCookies: readonly string[];
}

export class Visitor {
  readonly #fetch: (request: Request) => Promise<Response>;
  readonly #origin: string;
  readonly cookies = new Map<string, string>();

  /** An application without a socket, or the URL of a server. */
  constructor(target: web.Application | string, origin: string = 'http://example.test') {
    this.#fetch = typeof target === 'string' ? (request) => fetch(request) : target.fetch;
    this.#origin = typeof target === 'string' ? target : origin;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const request = new Request(this.#origin + path, { headers: { ...headers, ...(cookie && { cookie }) } });
    const response = await this.#fetch(request);
    const setCookies = response.headers.getSetCookie();
    for (const line of setCookies) {
      const [pair = ''] = line.split(';', 1);
      const name = pair.slice(0, pair.indexOf('='));
      if (/;\s*max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(name.length + 1));
    }
    return { status: response.status, text: await response.text(), headers: response.headers, setCookies };
  }

  /** The value of the session's cookie. */
  get cookie(): string | undefined {
    return this.cookies.get('AIOHTTP_SESSION') ?? this.cookies.get('__Host-AIOHTTP_SESSION');
  }

  /** Another browser with the same cookies. */
  copy(target: web.Application | string, origin?: string): Visitor {
    const copy = new Visitor(target, origin);
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    return copy;
  }
}
