import { codedRangeError, shown } from './errors.ts';

// Most dates that are formatted in a row are of the same day, many of the same second: file times, Date fields.
let lastSecond = Number.NaN;
let lastText = '';
let lastDay = Number.NaN;
let lastDayText = '';
const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));

/**
 * Writes a time as IMF-fixdate (RFC 9110 §5.6.7). Fractions of a second are dropped.
 *
 * @param time Milliseconds since 1970, or a `Date`; years 0 to 9999.
 * @throws RangeError `AIO_HTTP_DATE` when it is no such time.
 * @example
 * ```ts
 * formatHttpDate(784111777000); // 'Sun, 06 Nov 1994 08:49:37 GMT'
 * ```
 */
export function formatHttpDate(time: number | Date): string {
  const second = Math.floor((typeof time === 'number' ? time : time.getTime()) / 1000);
  if (second === lastSecond) return lastText;
  // 0000-01-01 … 9999-12-31: years of four digits.
  if (!(second >= -62_167_219_200 && second <= 253_402_300_799)) {
    throw codedRangeError('AIO_HTTP_DATE', `${shown(time)} is not a time between the years 0 and 9999`);
  }
  const day = Math.floor(second / 86_400);
  if (day !== lastDay) {
    // ECMA-262 gives exactly IMF-fixdate: 'Sun, 06 Nov 1994 00:00:00 GMT'.
    lastDayText = new Date(day * 86_400_000).toUTCString().slice(0, 17);
    lastDay = day;
  }
  const ofDay = second - day * 86_400;
  const minutes = Math.floor(ofDay / 60);
  lastText = `${lastDayText}${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[ofDay % 60]} GMT`;
  lastSecond = second;
  return lastText;
}

const MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
const DAYS = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
const LONG_DAYS = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday';
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)';
// day, month, year, hour, minute, second (asctime: month, day, hour, minute, second, year)
const IMF_FIXDATE = new RegExp(`^(?:${DAYS}), (\\d\\d) (${MONTHS}) (\\d{4}) ${TIME} GMT$`);
const RFC850_DATE = new RegExp(`^(?:${LONG_DAYS}), (\\d\\d)-(${MONTHS})-(\\d\\d) ${TIME} GMT$`);
const ASCTIME_DATE = new RegExp(`^(?:${DAYS}) (${MONTHS}) ([ \\d]\\d) ${TIME} (\\d{4})$`);

/**
 * Milliseconds since 1970 of an HTTP-date in any of its three formats (RFC 9110 §5.6.7), `undefined` for anything else.
 * A two-digit year more than 50 years ahead means the century before. The day's name is not checked. Never throws.
 *
 * @example
 * ```ts
 * parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'); // 784111777000
 * parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT'); // 784111777000
 * parseHttpDate('Sun Nov  6 08:49:37 1994'); // 784111777000
 * parseHttpDate('yesterday'); // undefined
 * ```
 */
export function parseHttpDate(text: string): number | undefined {
  // No format is longer; what is longer need not be scanned.
  if (text.length > 33) return undefined;
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) {
    const [, day, month, year, hour, minute, second] = match;
    return timeOf(Number(year), month!, Number(day), Number(hour), Number(minute), Number(second));
  }
  match = RFC850_DATE.exec(text);
  if (match !== null) {
    const [, day, month, year, hour, minute, second] = match;
    const thisYear = new Date().getUTCFullYear();
    let full = Math.floor(thisYear / 100) * 100 + Number(year);
    if (full > thisYear + 50) full -= 100;
    return timeOf(full, month!, Number(day), Number(hour), Number(minute), Number(second));
  }
  match = ASCTIME_DATE.exec(text);
  if (match !== null) {
    const [, month, day, hour, minute, second, year] = match;
    return timeOf(Number(year), month!, Number(day), Number(hour), Number(minute), Number(second));
  }
  return undefined;
}

function timeOf(
  year: number,
  monthName: string,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  // 60 is a leap second (RFC 9110 §5.6.7); it becomes the first of the next minute.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const month = MONTHS.indexOf(monthName) / 4;
  const date = new Date(0);
  date.setUTCFullYear(year, month, day); // unlike Date.UTC, takes years below 100 as they are
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined;
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}
