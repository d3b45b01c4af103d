const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

const pad = (n: number, width: number = 2): string => String(n).padStart(width, '0');

function dayOfYear(date: Date): number {
  return (
    Math.floor(
      (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) -
        Date.UTC(date.getUTCFullYear(), 0, 1)) /
        86_400_000,
    ) + 1
  );
}

const FIELDS: Readonly<Record<string, (d: Date) => string>> = {
  a: (d) => (DAYS[d.getUTCDay()] as string).slice(0, 3),
  A: (d) => DAYS[d.getUTCDay()] as string,
  b: (d) => (MONTHS[d.getUTCMonth()] as string).slice(0, 3),
  B: (d) => MONTHS[d.getUTCMonth()] as string,
  c: (d) => strftime(d, '%a %b %e %H:%M:%S %Y'),
  d: (d) => pad(d.getUTCDate()),
  D: (d) => strftime(d, '%m/%d/%y'),
  e: (d) => String(d.getUTCDate()).padStart(2, ' '),
  f: (d) => `${pad(d.getUTCMilliseconds(), 3)}000`,
  F: (d) => strftime(d, '%Y-%m-%d'),
  H: (d) => pad(d.getUTCHours()),
  I: (d) => pad(d.getUTCHours() % 12 || 12),
  j: (d) => pad(dayOfYear(d), 3),
  m: (d) => pad(d.getUTCMonth() + 1),
  M: (d) => pad(d.getUTCMinutes()),
  n: () => '\n',
  p: (d) => (d.getUTCHours() < 12 ? 'AM' : 'PM'),
  R: (d) => strftime(d, '%H:%M'),
  s: (d) => String(Math.floor(d.getTime() / 1000)),
  S: (d) => pad(d.getUTCSeconds()),
  t: () => '\t',
  T: (d) => strftime(d, '%H:%M:%S'),
  u: (d) => String(d.getUTCDay() || 7),
  U: (d) => pad(Math.floor((dayOfYear(d) + 6 - d.getUTCDay()) / 7)),
  w: (d) => String(d.getUTCDay()),
  W: (d) => pad(Math.floor((dayOfYear(d) + 6 - ((d.getUTCDay() + 6) % 7)) / 7)),
  x: (d) => strftime(d, '%m/%d/%y'),
  X: (d) => strftime(d, '%H:%M:%S'),
  y: (d) => pad(d.getUTCFullYear() % 100),
  Y: (d) => pad(d.getUTCFullYear(), 4),
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
};

/** A date in C's notation, in UTC; a directive that is not known stays as it is. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([a-zA-Z%])/g, (whole, dash: string, directive: string) => {
    const field = Object.hasOwn(FIELDS, directive) ? FIELDS[directive] : undefined;
    if (field === undefined) return whole;
    const text = field(date);
    return dash === '' ? text : text.replace(/^[0 ](?=.)/, '').replace(/^0(?=.)/, '');
  });
}
