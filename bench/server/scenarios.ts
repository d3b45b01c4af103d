// What is asked of each server. A scenario is a request that is repeated on open connections; the answer to it is
// checked once, in full, before anything is measured.

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Head of a column that has little room. */
  readonly short: string;
  /** Which program the servers run (see servers/control.mjs). */
  readonly program: 'text' | 'json' | 'post' | 'browser';
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Requests sent at once on a connection before their answers are read. */
  readonly pipeline: number;
  readonly tls: boolean;
  readonly answer: string;
}

const plain = {
  program: 'text',
  method: 'GET',
  path: '/',
  headers: {},
  body: undefined,
  pipeline: 1,
  tls: false,
  answer: 'Hello world',
} as const;

/** What Chromium sends with a navigation. */
const browserHeaders = {
  Connection: 'keep-alive',
  'Cache-Control': 'max-age=0',
  'sec-ch-ua': '"Chromium";v="146", "Not-A.Brand";v="24", "Google Chrome";v="146"',
  'sec-ch-ua-mobile': '?0',
  'sec-ch-ua-platform': '"Linux"',
  'Upgrade-Insecure-Requests': '1',
  'User-Agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36',
  Accept:
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
  'Sec-Fetch-Site': 'same-origin',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'de,en;q=0.7',
  Cookie: 'theme=dark; session=8f1c0d6e5b7a4932a1f0c4d2e3b5a697; consent=necessary',
};

/** One kilobyte of JSON, as a form of a web page would send it. */
const kilobyte = JSON.stringify({
  key: 'number one',
  title: 'A post about the things that a post is about',
  tags: ['alpha', 'beta', 'gamma', 'delta'],
  author: { name: 'Ada Lovelace', id: 1815, admin: false },
  text: 'All work and no play makes a dull benchmark. '.repeat(18),
});

export const scenarios: readonly Scenario[] = [
  { ...plain, name: 'text', short: 'text', title: 'GET, text' },
  {
    ...plain,
    name: 'json',
    short: 'JSON',
    title: 'GET, two parameters, three middlewares, JSON',
    program: 'json',
    path: '/api/ada/posts/42',
    answer: '{"user":"ada","id":42,"tags":["a","b"]}',
  },
  {
    ...plain,
    name: 'post',
    short: 'POST',
    title: 'POST, 1 KB of JSON',
    program: 'post',
    method: 'POST',
    path: '/json',
    headers: { 'Content-Type': 'application/json' },
    body: kilobyte,
    answer: '{"value":"number one"}',
  },
  { ...plain, name: 'pipelined', short: 'pipelined', title: 'GET, text, pipelined 16 deep', pipeline: 16 },
  { ...plain, name: 'tls', short: 'TLS', title: 'GET, text, over TLS', tls: true },
  {
    ...plain,
    name: 'browser',
    short: 'browser',
    title: "GET, text, a browser's twelve headers",
    program: 'browser',
    path: '/browser',
    headers: browserHeaders,
    answer: 'de,en;q=0.7',
  },
];

/** The bytes of one request of `scenario`. */
export function requestBytes(scenario: Scenario, port: number): Buffer {
  const lines = [`${scenario.method} ${scenario.path} HTTP/1.1`, `Host: 127.0.0.1:${port}`];
  for (const [name, value] of Object.entries(scenario.headers)) lines.push(`${name}: ${value}`);
  if (scenario.body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(scenario.body)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${scenario.body ?? ''}`, 'latin1');
}
