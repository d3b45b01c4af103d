/** Makes a value of the text that the server sends. */
export type Decoder = (text: string) => unknown;

/** The number, or a bigint where a number would have to round. */
function integer(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function bytes(text: string): Uint8Array {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex');
  // bytea_output = escape: octal, and a doubled backslash.
  const plain = text.replace(/\\(\\|[0-7]{3})/g, (_, code: string) =>
    code === '\\' ? '\\' : String.fromCharCode(Number.parseInt(code, 8)),
  );
  return Buffer.from(plain, 'latin1');
}

const timestamp =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/;

/**
 * A time, cut to milliseconds. One without a zone is taken as UTC, which is how dates are written. What no `Date` can hold (`infinity`) and
 * what a server with another DateStyle sends stays text.
 */
function time(text: string): Date | string {
  const parts = timestamp.exec(text);
  if (parts === null) return text;
  const [
    ,
    year,
    month,
    day,
    hours,
    minutes,
    seconds,
    fraction = '',
    sign,
    zoneHours,
    zoneMinutes,
    zoneSeconds,
    bc,
  ] = parts;
  const date = new Date(0);
  date.setUTCFullYear(bc === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(
    Number(hours),
    Number(minutes),
    Number(seconds),
    Number(fraction.padEnd(3, '0').slice(0, 3)),
  );
  if (sign !== undefined) {
    const offset = Number(zoneHours) * 3600 + Number(zoneMinutes ?? 0) * 60 + Number(zoneSeconds ?? 0);
    date.setTime(date.getTime() - (sign === '-' ? -offset : offset) * 1000);
  }
  return Number.isNaN(date.getTime()) ? text : date;
}

const same: Decoder = (text) => text;

/** Reads `{1,NULL,"a \"b\""}`, also nested and with bounds in front (PostgreSQL §8.15.6). */
class ArrayText {
  private readonly text: string;
  private readonly decode: Decoder;
  private position: number;

  constructor(text: string, decode: Decoder) {
    this.text = text;
    this.decode = decode;
    this.position = text.indexOf('{');
  }

  read(): unknown[] {
    const { text } = this;
    const list: unknown[] = [];
    this.position++;
    while (this.position < text.length) {
      const char = text[this.position];
      if (char === '}') {
        this.position++;
        break;
      }
      if (char === ',') this.position++;
      else if (char === '{') list.push(this.read());
      else if (char === '"') list.push(this.decode(this.quoted()));
      else list.push(this.plain());
    }
    return list;
  }

  private quoted(): string {
    const { text } = this;
    let value = '';
    for (this.position++; text[this.position] !== '"'; this.position++) {
      if (text[this.position] === '\\') this.position++;
      value += text[this.position];
    }
    this.position++;
    return value;
  }

  private plain(): unknown {
    const start = this.position;
    while (!/[,}]/.test(this.text[this.position] ?? '}')) this.position++;
    const value = this.text.slice(start, this.position);
    return value === 'NULL' ? null : this.decode(value);
  }
}

function arrayOf(decode: Decoder): Decoder {
  return (text) => new ArrayText(text, decode).read();
}

const json: Decoder = (text) => JSON.parse(text) as unknown;
const boolean: Decoder = (text) => text === 't';

/** By the OIDs of PostgreSQL's own types, which never change (src/include/catalog/pg_type.dat). */
const decoders: ReadonlyMap<number, Decoder> = new Map<number, Decoder>([
  [16, boolean],
  [17, bytes],
  [20, integer],
  [21, Number],
  [23, Number],
  [26, Number],
  [114, json],
  [700, Number],
  [701, Number],
  [1114, time],
  [1184, time],
  [3802, json],
  [199, arrayOf(json)],
  [1000, arrayOf(boolean)],
  [1001, arrayOf(bytes)],
  [1005, arrayOf(Number)],
  [1007, arrayOf(Number)],
  [1009, arrayOf(same)],
  [1014, arrayOf(same)],
  [1015, arrayOf(same)],
  [1016, arrayOf(integer)],
  [1021, arrayOf(Number)],
  [1022, arrayOf(Number)],
  [1028, arrayOf(Number)],
  [1115, arrayOf(time)],
  [1182, arrayOf(same)],
  [1185, arrayOf(time)],
  [1231, arrayOf(same)],
  [2951, arrayOf(same)],
  [3807, arrayOf(json)],
]);

/** How values of a type are read; what has no rule stays the text that the server sent. */
export function decoderOf(type: number): Decoder {
  return decoders.get(type) ?? same;
}
