/** What separates the tokens of a cookie date (RFC 6265 §5.1.1): everything but digits, letters, colons and what is not ASCII's. */
const DELIMITERS = /[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/;
const TIME = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)/;
const DAY_OF_MONTH = /^(\d{1,2})(?!\d)/;
const YEAR = /^(\d{2,4})(?!\d)/;
const MONTHS: readonly string[] = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
/** No date is longer; what is longer is not looked at. */
const MAX_LENGTH = 256;

/**
 * The time that the `Expires` of a cookie means, in milliseconds since 1970: servers write it in dozens of ways, and browsers read all of
 * them by the algorithm of RFC 6265 §5.1.1. `undefined` when it is no date. Never throws.
 */
export function parseCookieDate(text: string): number | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  let time: RegExpExecArray | null = null;
  let day: number | undefined;
  let month: number | undefined;
  let year: number | undefined;
  for (const token of text.split(DELIMITERS)) {
    // The first token of each kind counts, and a token is of the first kind that is still wanted.
    if (time === null && (time = TIME.exec(token)) !== null) continue;
    const dayFound = day === undefined ? DAY_OF_MONTH.exec(token) : null;
    if (dayFound !== null) {
      day = Number(dayFound[1]);
      continue;
    }
    if (month === undefined) {
      const index = MONTHS.indexOf(token.slice(0, 3).toLowerCase());
      if (index !== -1) {
        month = index;
        continue;
      }
    }
    const yearFound = year === undefined ? YEAR.exec(token) : null;
    if (yearFound !== null) year = fullYear(Number(yearFound[1]));
  }
  if (time === null || day === undefined || month === undefined || year === undefined) return undefined;
  const [hour, minute, second] = [Number(time[1]), Number(time[2]), Number(time[3])];
  if (year < 1601 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(Date.UTC(year, month, day, hour, minute, second));
  // The 31st of February is no date.
  return date.getUTCMonth() === month && date.getUTCDate() === day ? date.getTime() : undefined;
}

function fullYear(year: number): number {
  if (year >= 70 && year <= 99) return year + 1900;
  return year <= 69 ? year + 2000 : year;
}
