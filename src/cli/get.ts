import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { KeyboardInterrupt, run } from '../asyncio/index.ts';
import {
  type ClientResponse,
  ClientSession,
  type ConnectTimings,
  type HeadersInit,
  TraceConfig,
} from '../client/index.ts';
import { DownloadProgress } from './download-progress.ts';

/** One line for people who ask. */
export const getUsage: string =
  'aiohttp-ts get URL [-o FILE] [-H "Name: value"]… [-X METHOD] [-d DATA] [--json] [-i] [--timing] [--timeout MS] [-k] [-q]';

/** How long a server may say nothing, in milliseconds. */
const MAX_SILENCE = 300_000;

interface Arguments {
  readonly url: string;
  readonly output: string | undefined;
  readonly headers: HeadersInit;
  readonly method: string;
  readonly data: string | undefined;
  readonly json: boolean;
  readonly include: boolean;
  readonly timing: boolean;
  readonly timeout: number | undefined;
  readonly insecure: boolean;
  readonly quiet: boolean;
}

/**
 * Downloads a URL: the body goes to standard output or a file (under a temporary name until it is complete), progress and timings to standard
 * error.
 *
 * @returns exit code: 0, 1 when the request failed or its status is 400 or above, 2 for a wrong command line; as shells have it, 130 after
 *   ctrl-C and 141 when nobody reads what is printed
 */
export async function get(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`Usage: ${getUsage}\n`);
    return 0;
  }
  let given: Arguments;
  try {
    given = readArguments(args);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nUsage: ${getUsage}\n`);
    return 2;
  }
  // Without a listener an error of the stream would end the process: who writes is told of it.
  process.stdout.on('error', () => {});
  try {
    return await run(() => download(given));
  } catch (error) {
    if (error instanceof KeyboardInterrupt) return 130;
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 141;
    process.stderr.write(`${error instanceof Error ? error.name : 'Error'}: ${messageOf(error)}\n`);
    return 1;
  }
}

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      header: { type: 'string', short: 'H', multiple: true },
      request: { type: 'string', short: 'X' },
      data: { type: 'string', short: 'd' },
      json: { type: 'boolean' },
      include: { type: 'boolean', short: 'i' },
      timing: { type: 'boolean' },
      timeout: { type: 'string' },
      insecure: { type: 'boolean', short: 'k' },
      quiet: { type: 'boolean', short: 'q' },
    },
  });
  const [url, ...more] = positionals;
  if (url === undefined || more.length > 0) throw new TypeError('One URL is expected.');
  const timeout = values.timeout === undefined ? undefined : Number(values.timeout);
  if (timeout !== undefined && !(timeout > 0)) throw new RangeError('--timeout is a number of milliseconds.');
  return {
    url: /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`,
    output: values.output === '-' ? undefined : values.output,
    headers: (values.header ?? []).map(fieldOf),
    method: values.request ?? (values.data === undefined ? 'GET' : 'POST'),
    data: values.data,
    json: values.json === true,
    include: values.include === true,
    timing: values.timing === true,
    timeout,
    insecure: values.insecure === true,
    quiet: values.quiet === true,
  };
}

function fieldOf(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new TypeError(`A header is written "Name: value", got ${JSON.stringify(text)}.`);
  return [text.slice(0, colon), text.slice(colon + 1).trim()];
}

async function download(given: Arguments): Promise<number> {
  const started = performance.now();
  const timings = new PhaseTimings(started);
  await using session = new ClientSession({ traceConfigs: [timings.config] });
  const progress = new DownloadProgress(process.stderr, !given.quiet && given.output !== undefined);
  await using response = await session.request(given.method, given.url, {
    headers: given.headers,
    data: given.data,
    ssl: given.insecure ? false : undefined,
    // A large file may take its time; a silent server may not.
    timeout: { total: given.timeout ?? Infinity, sockRead: MAX_SILENCE },
    onDownloadProgress: (at) => progress.show(at),
  });
  timings.headReceived(response);
  if (given.include) process.stdout.write(headText(response));
  try {
    if (given.output !== undefined) await toFile(response, given.output);
    else if (given.json)
      await toStdout(`${JSON.stringify(await response.json({ contentType: undefined }), null, 2)}\n`);
    else for await (const piece of response.content) await toStdout(piece);
  } finally {
    progress.end();
  }
  if (given.timing) process.stderr.write(timings.table());
  if (response.ok) return 0;
  process.stderr.write(`${response.status} ${response.reason}\n`);
  return 1;
}

/** Nobody ever sees half a file under its name. What is no file, a device or a pipe, is written to as it is. */
async function toFile(response: ClientResponse, name: string): Promise<void> {
  const there = await stat(name).catch(() => undefined);
  const inPlace = there?.isFile() === false;
  const target = there === undefined ? name : await realpath(name);
  const temporary = inPlace ? target : `${target}.${process.pid}.part`;
  const file = await open(temporary, inPlace ? 'w' : 'wx');
  try {
    // Unlike write(), this writes all of it.
    for await (const piece of response.content) await file.writeFile(piece);
    await file.close();
    if (!inPlace) await rename(temporary, target);
  } catch (error) {
    await file.close().catch(() => {});
    if (!inPlace) await rm(temporary, { force: true });
    throw error;
  }
}

function toStdout(piece: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

function headText(response: ClientResponse): string {
  const { version, status, reason, headers } = response;
  const lines = Array.from(headers, ([name, value]) => `${name}: ${value}`);
  return [`HTTP/${version.major}.${version.minor} ${status} ${reason}`, ...lines, '', ''].join('\n');
}

/** How long each phase took: connections of all requests on the way, and the wait for the last answer. */
class PhaseTimings {
  readonly config: TraceConfig<object> = new TraceConfig<object>(() => ({}));
  readonly #started: number;
  #sent = 0;
  #firstByte = 0;
  readonly #connects: ConnectTimings[] = [];

  constructor(started: number) {
    this.#started = started;
    this.config.onRequestHeadersSent.append(() => {
      this.#sent = performance.now();
    });
  }

  headReceived(response: ClientResponse): void {
    this.#firstByte = performance.now() - this.#sent;
    for (const { connectTimings } of [...response.history, response]) {
      if (connectTimings !== undefined) this.#connects.push(connectTimings);
    }
  }

  table(): string {
    const rows: [string, number | undefined][] = [
      ['dns', this.#sum('dns')],
      ['connect', this.#sum('connect')],
      ['proxy', this.#sum('proxy')],
      ['tls', this.#sum('tls')],
      ['first byte', this.#firstByte],
      ['total', performance.now() - this.#started],
    ];
    return rows
      .filter(([, time]) => time !== undefined)
      .map(([name, time]) => `${name.padEnd(12)}${time!.toFixed(1).padStart(10)} ms\n`)
      .join('');
  }

  /** `undefined` when no connection needed it. */
  #sum(phase: keyof ConnectTimings): number | undefined {
    const times = this.#connects.flatMap((timings) => timings[phase] ?? []);
    return times.length === 0 ? undefined : times.reduce((sum, time) => sum + time, 0);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
