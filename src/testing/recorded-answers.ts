import type { WebSocketResponse } from '../web/index.ts';

/** What a mocked request is answered with. */
export interface MockAnswer {
  /** Default 200. */
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Text or bytes. */
  readonly body?: string | Uint8Array | undefined;
  /** The body, as JSON. */
  readonly json?: unknown;
  /** Answers with a WebSocket instead: this is its other end. It is closed when the function returns. */
  readonly webSocket?: ((ws: WebSocketResponse, call: MockCall) => void | Promise<void>) | undefined;
  /** Fails the request with this error instead. */
  readonly error?: Error | undefined;
}

/** An answer, or a function that makes it from the request. */
export type MockReply = MockAnswer | ((call: MockCall) => MockAnswer | Promise<MockAnswer>);

/** How long an answer counts. */
export interface MockReplyOptions {
  /** How many requests it is for; `Infinity` for all. Default 1. */
  readonly times?: number | undefined;
}

/** URL of a request: exactly this one (the order of parameters does not matter), or what matches. */
export type MockUrl = string | URL | RegExp;

/** A request that came. */
export class MockCall {
  readonly method: string;
  /** As it was asked for: scheme, host, path and query. */
  readonly url: URL;
  /** Names in lower case, repeats joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;

  constructor(method: string, url: URL, headers: Readonly<Record<string, string>>, body: Uint8Array) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.body = body;
  }

  get text(): string {
    return Buffer.from(this.body).toString('utf8');
  }

  /** @throws SyntaxError when the body is no JSON */
  get json(): unknown {
    return JSON.parse(this.text);
  }

  toString(): string {
    return `${this.method} ${this.url.href}`;
  }
}

interface Recorded {
  readonly method: string;
  readonly url: string | RegExp;
  readonly reply: MockReply;
  readonly times: number;
  left: number;
}

/** Answers in the order in which they were recorded, and which of them were used. */
export class RecordedAnswers {
  #recorded: Recorded[];

  constructor() {
    this.#recorded = [];
  }

  /** @throws RangeError for `times` that is no number from 1, TypeError `ERR_INVALID_URL` for a text that is no absolute URL */
  add(method: string, url: MockUrl, reply: MockReply, { times = 1 }: MockReplyOptions = {}): void {
    if (!(times >= 1)) throw new RangeError(`times is a number of requests from 1, got ${String(times)}`);
    const key = url instanceof RegExp ? url : canonicalUrl(url);
    this.#recorded.push({ method: method.toUpperCase(), url: key, reply, times, left: times });
  }

  /** The next answer for a request; it is used up then, unless it counts for more. */
  take(method: string, url: URL): MockReply | undefined {
    const key = canonicalUrl(url);
    const found = this.#recorded.find(
      (recorded) => recorded.left > 0 && recorded.method === method && matches(recorded.url, url, key),
    );
    if (found === undefined) return undefined;
    found.left--;
    return found.reply;
  }

  /** Whether an answer was recorded for an origin; a pattern may be for any. */
  knows(origin: string): boolean {
    return this.#recorded.some(({ url }) => url instanceof RegExp || mockedOrigin(url) === origin);
  }

  /** Answers that were not asked for as often as they should; those for all requests never are. */
  unused(): string[] {
    return this.#recorded
      .filter(({ left, times }) => left > 0 && times !== Infinity)
      .map(({ method, url, left }) => `${method} ${String(url)} (${left} left)`);
  }

  clear(): void {
    this.#recorded = [];
  }
}

/** The origin of a URL; `ws` and `wss` lead to the server of `http` and `https`. */
export function mockedOrigin(url: string | URL): string {
  return asHttp(new URL(url)).origin;
}

function asHttp(url: URL): URL {
  url.protocol = url.protocol.replace(/^ws/, 'http');
  return url;
}

/** A URL whose parameters stand in order, without fragment. */
export function canonicalUrl(url: string | URL): string {
  const canonical = asHttp(new URL(url));
  canonical.hash = '';
  canonical.searchParams.sort();
  return canonical.href;
}

function matches(recorded: string | RegExp, url: URL, key: string): boolean {
  if (typeof recorded === 'string') return recorded === key;
  recorded.lastIndex = 0;
  return recorded.test(url.href);
}
