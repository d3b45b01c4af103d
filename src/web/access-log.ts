import type { Request } from './request.ts';
import type { StreamResponse } from './stream-response.ts';
import type { Logger } from './types.ts';

/** What is known of an exchange that ended. */
export interface AccessRecord {
  readonly request: Request;
  /** `undefined` when the client left before there was one. */
  readonly response: StreamResponse | undefined;
  /** Everything that was sent, head included. */
  readonly bytesSent: number;
  /** Milliseconds from the request's head to the end of the answer. */
  readonly duration: number;
  /** Why the exchange failed; `undefined` when the answer is complete. */
  readonly error: Error | undefined;
}

/**
 * Writes one line, or whatever it likes, for every exchange. `log` is called before the request's exchange is given back, so
 * everything of the request can still be read; it must not throw and not wait.
 *
 * Counterpart of `aiohttp.abc.AbstractAccessLogger`.
 *
 * @example
 * ```ts
 * class JsonAccessLogger implements web.AbstractAccessLogger {
 *   readonly enabled = true;
 *   log({ request, response, duration }: web.AccessRecord): void {
 *     console.log(JSON.stringify({ path: request.path, status: response?.status, duration }));
 *   }
 * }
 * await web.runApp(app, { accessLogClass: JsonAccessLogger });
 * ```
 */
export interface AbstractAccessLogger {
  /** Read once, when the server starts: with `false` no time is taken and `log` never called. */
  readonly enabled: boolean;
  log(record: AccessRecord): void;
}

/** Made by a runner from its `accessLogClass`, `accessLog` and `accessLogFormat`. */
export type AccessLoggerClass = new (logger: Logger, format: string) => AbstractAccessLogger;

/** Apache's combined format without the two fields that are always empty. Counterpart of `AccessLogger.LOG_FORMAT`. */
export const ACCESS_LOG_FORMAT = '%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"';

/** Whether and how exchanges are logged. */
export interface AccessLogOptions {
  /** Where the access log goes; nothing is logged, and no time taken, without it. */
  readonly accessLog?: Logger | undefined;
  /** Default `%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"`; the atoms are listed at `AccessLogger`. */
  readonly accessLogFormat?: string | undefined;
  /** Default `AccessLogger`. With a class of your own, `accessLog` may be left out. */
  readonly accessLogClass?: AccessLoggerClass | undefined;
}

const ATOM = /%(?:\{([A-Za-z0-9\-_]+)\}([ioe])|(Tf|[%atPrsbTD]))/g;

type Atom = (record: AccessRecord) => string;

// C0, DEL and C1 controls could forge a line or drive a terminal, line separators some log viewers; quotes end a field.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029"\\]/;
const UNSAFE_ALL = new RegExp(UNSAFE, 'g');

function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
}

/** Makes text from a client harmless in a log line: control characters, quotes and backslashes are written as escapes. */
export function escapeForLog(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_ALL, escapeCharacter) : text;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

let formattedSecond = Number.NaN;
let formattedTime = '';

/** `[22/Nov/2026:13:57:50 +0000]`, always UTC; made once a second. */
function formatTime(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== formattedSecond) {
    const date = new Date(second * 1000);
    const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
    const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
    formattedTime = `[${day}:${time} +0000]`;
    formattedSecond = second;
  }
  return formattedTime;
}

function field(value: string | undefined): string {
  return value === undefined || value === '' ? '-' : escapeForLog(value);
}

function firstLine({ request }: AccessRecord): string {
  const { method, target, version } = request._exchange.head;
  return escapeForLog(`${method} ${target} HTTP/${version.major}.${version.minor}`);
}

const ATOMS: Readonly<Record<string, Atom>> = {
  '%': () => '%',
  a: ({ request }) => field(request.remote),
  t: ({ duration }) => formatTime(Date.now() - duration),
  P: () => String(process.pid),
  r: firstLine,
  s: ({ response }) => (response === undefined ? '-' : String(response.status)),
  b: ({ bytesSent }) => String(bytesSent),
  T: ({ duration }) => String(Math.round(duration / 1000)),
  Tf: ({ duration }) => (duration / 1000).toFixed(6),
  D: ({ duration }) => String(Math.round(duration * 1000)),
};

function namedAtom(name: string, kind: string): Atom {
  if (kind === 'i') {
    const lower = name.toLowerCase();
    return ({ request }) => field(request._exchange.head.header(lower));
  }
  if (kind === 'o') {
    return ({ response }) => {
      const value = response?.ownHeaders?.get(name);
      if (value === undefined && name.toLowerCase() === 'content-type')
        return field(response?.contentTypeField);
      return field(value);
    };
  }
  return () => field(process.env[name]);
}

/** Parts of the line in order: text as it is, and what is looked up for each record. */
function compile(format: string): (string | Atom)[] {
  const parts: (string | Atom)[] = [];
  let end = 0;
  for (const found of format.matchAll(ATOM)) {
    const [whole, name, kind, letter] = found;
    parts.push(checkText(format, format.slice(end, found.index)));
    parts.push(
      name !== undefined && kind !== undefined ? namedAtom(name, kind) : (ATOMS[letter ?? '%'] as Atom),
    );
    end = found.index + whole.length;
  }
  parts.push(checkText(format, format.slice(end)));
  return parts.filter((part) => part !== '');
}

function checkText(format: string, text: string): string {
  const stray = text.indexOf('%');
  if (stray < 0) return text;
  throw new RangeError(
    `Unknown atom '${text.slice(stray, stray + 8)}' in access log format '${format}'. Known are ` +
      '%% %a %t %P %r %s %b %T %Tf %D %{Name}i %{Name}o %{NAME}e',
  );
}

/**
 * The usual access log: one line of text for each exchange, by a format of atoms.
 *
 * | atom | meaning |
 * |---|---|
 * | `%%` | a percent sign |
 * | `%a` | address of the client |
 * | `%t` | when the request came, UTC |
 * | `%P` | process id |
 * | `%r` | first line of the request |
 * | `%s` | status; `-` when the client left before there was one |
 * | `%b` | bytes sent, head included |
 * | `%T`, `%Tf`, `%D` | duration in seconds, in seconds with fraction, in microseconds |
 * | `%{Name}i`, `%{Name}o` | field of the request, of the response |
 * | `%{NAME}e` | environment variable |
 *
 * What is absent is `-`; what a client could use to forge a line is escaped. Counterpart of `aiohttp.web_log.AccessLogger`.
 *
 * @example
 * ```ts
 * await web.runApp(app, { accessLog: console, accessLogFormat: '%a "%r" %s %Tf' });
 * ```
 */
export class AccessLogger implements AbstractAccessLogger {
  readonly enabled: boolean = true;
  readonly #logger: Logger;
  readonly #parts: readonly (string | Atom)[];

  /** @throws RangeError when `format` holds an unknown atom */
  constructor(logger: Logger, format: string = ACCESS_LOG_FORMAT) {
    this.#logger = logger;
    this.#parts = compile(format);
  }

  log(record: AccessRecord): void {
    let line = '';
    for (const part of this.#parts) line += typeof part === 'string' ? part : part(record);
    this.#logger.info(line);
  }
}

/** The access logger that the options ask for. */
export function makeAccessLogger(
  options: AccessLogOptions,
  logger: Logger,
): AbstractAccessLogger | undefined {
  const { accessLog, accessLogFormat = ACCESS_LOG_FORMAT, accessLogClass } = options;
  if (accessLog === undefined && accessLogClass === undefined) return undefined;
  return new (accessLogClass ?? AccessLogger)(accessLog ?? logger, accessLogFormat);
}
