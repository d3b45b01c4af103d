// A client for outside test-suites: npm run --silent conformance:client. Reads one JSON object a line on stdin and answers each with
// one on stdout, as they get done.

import { createInterface } from 'node:readline';
import {
  ClientConnectionResetError,
  ClientSession,
  CookieJar,
  DummyCookieJar,
  FormData,
  type RequestData,
  TCPConnector,
  WSMsgType,
} from 'aiohttp-ts/client';

/** A field of a form: text, or a file. */
interface Part {
  readonly name: string;
  readonly value?: string;
  readonly filename?: string | null;
  readonly content_type?: string | null;
  readonly data_b64?: string;
}

/** What a line asks for; each operation has some of these. */
interface Command {
  readonly id: number;
  readonly op: string;
  readonly method?: string;
  readonly url?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body_b64?: string | null;
  readonly form?: readonly (readonly [string, string])[] | null;
  readonly redirect?: 'follow' | 'manual';
  readonly max_redirects?: number;
  readonly timeout_ms?: number;
  readonly jar?: string | null;
  readonly resolve?: Readonly<Record<string, string>> | null;
  readonly parts?: readonly Part[];
  readonly compress?: boolean;
  readonly max_size?: number;
}

const operations = ['request', 'multipart', 'jar-clear', 'ws-echo', 'caps'];

const jars = new Map<string, CookieJar>();

function jarOf(name: string): CookieJar {
  let jar = jars.get(name);
  if (jar === undefined) {
    jar = new CookieJar();
    jars.set(name, jar);
  }
  return jar;
}

/** Sessions by jar and addresses: what has the same of both shares connections. */
const sessions = new Map<string, ClientSession>();

function sessionFor(jar: string | null, resolve: Readonly<Record<string, string>> | null): ClientSession {
  const id = JSON.stringify([jar, resolve]);
  let session = sessions.get(id);
  if (session === undefined) {
    session = new ClientSession({
      connector: new TCPConnector({ resolve: resolve ?? {} }),
      cookieJar: jar === null ? new DummyCookieJar() : jarOf(jar),
    });
    sessions.set(id, session);
  }
  return session;
}

function formOf(parts: readonly Part[]): FormData {
  const form = new FormData(undefined, { defaultToMultipart: true });
  for (const { name, value, filename, content_type, data_b64 } of parts) {
    form.addField(name, value ?? Buffer.from(data_b64 ?? '', 'base64'), {
      filename: filename ?? undefined,
      contentType: content_type ?? undefined,
    });
  }
  return form;
}

function dataOf(command: Command): RequestData | undefined {
  if (command.op === 'multipart') return formOf(command.parts ?? []);
  if (typeof command.body_b64 === 'string') return Buffer.from(command.body_b64, 'base64');
  return command.form ?? undefined;
}

async function request(command: Command): Promise<object> {
  const { jar = null, resolve = null, url = '', headers = [] } = command;
  const { method = command.op === 'multipart' ? 'POST' : 'GET' } = command;
  await using response = await sessionFor(jar, resolve).request(method, url, {
    headers,
    data: dataOf(command),
    allowRedirects: command.redirect !== 'manual',
    maxRedirects: command.max_redirects,
    timeout: { total: command.timeout_ms },
  });
  const body = await response.read();
  const { status, reason, version, history } = response;
  return {
    status,
    reason,
    version: `${version.major}.${version.minor}`,
    headers: [...response.headers],
    body_b64: Buffer.from(body).toString('base64'),
    url: response.realUrl.href,
    history: history.map((past) => ({ status: past.status, url: past.url.href })),
  };
}

/** Sends every message back until the connection ends. */
async function webSocketEcho(command: Command): Promise<object> {
  const { url = '', jar = null, resolve = null, compress, max_size, timeout_ms } = command;
  await using ws = await sessionFor(jar, resolve).wsConnect(url, {
    compress,
    maxMsgSize: max_size,
    receiveTimeout: timeout_ms,
    signal: timeout_ms === undefined ? undefined : AbortSignal.timeout(timeout_ms),
  });
  try {
    for await (const message of ws) {
      if (message.type === WSMsgType.TEXT) await ws.sendStr(message.data);
      else if (message.type === WSMsgType.BINARY) await ws.sendBytes(message.data);
    }
  } catch (error) {
    // The server did not wait for the answer.
    if (!(error instanceof ClientConnectionResetError)) throw error;
  }
  return { code: ws.closeCode };
}

async function answer(command: Command): Promise<object> {
  switch (command.op) {
    case 'request':
    case 'multipart':
      return { ok: true, ...(await request(command)) };
    case 'ws-echo':
      return { ok: true, ...(await webSocketEcho(command)) };
    case 'jar-clear':
      jarOf(String(command.jar)).clear();
      return { ok: true };
    case 'caps':
      return { ok: true, name: 'aiohttp-ts', version: '0.1.0', ops: operations, jar: true };
    default:
      return { ok: false, unsupported: true };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

async function handle(line: string): Promise<void> {
  let id: number | undefined;
  try {
    const command: Command = JSON.parse(line);
    id = command.id;
    console.log(JSON.stringify({ id, ...(await answer(command)) }));
  } catch (error) {
    console.log(JSON.stringify({ id, ok: false, error: textOf(error) }));
  }
}

const running = new Set<Promise<void>>();
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue;
  const work = handle(line);
  running.add(work);
  void work.finally(() => running.delete(work));
}
await Promise.allSettled(running);
await Promise.all(Array.from(sessions.values(), (session) => session.close()));
