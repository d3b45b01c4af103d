/** What is kept of a session, however it is stored. */
export interface SessionRecord {
  /** Milliseconds since 1970, in whole seconds. */
  readonly created: number;
  readonly data: ReadonlyMap<string, unknown>;
  /** Whose session it is. */
  readonly user: string | undefined;
  /** The user's epoch when the session became theirs. */
  readonly epoch: number | undefined;
  /** Lifetime in ms where the session has one of its own. */
  readonly maxAge: number | undefined;
  /** When its identity was made, in ms since 1970; only where identities are renewed from time to time. */
  readonly issued: number | undefined;
}

/** A session as it is before anything was put in. */
export function emptyRecord(now: number): SessionRecord {
  return {
    created: wholeSeconds(now),
    data: new Map(),
    user: undefined,
    epoch: undefined,
    maxAge: undefined,
    issued: undefined,
  };
}

/**
 * The text of a record: what aiohttp-session writes, `{"created": 1577000000, "session": {…}}` with seconds, and fields of ours behind it that it ignores.
 */
export function formatRecord(record: SessionRecord): string {
  let text = `{"created":${seconds(record.created)},"session":{`;
  let first = true;
  for (const [key, value] of record.data) {
    text += `${first ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(value)}`;
    first = false;
  }
  text += '}';
  if (record.user !== undefined) text += `,"user":${JSON.stringify(record.user)}`;
  if (record.epoch !== undefined) text += `,"epoch":${record.epoch}`;
  if (record.maxAge !== undefined) text += `,"maxAge":${seconds(record.maxAge)}`;
  if (record.issued !== undefined) text += `,"issued":${seconds(record.issued)}`;
  return `${text}}`;
}

/** The record in a text; `undefined` for everything that is none. */
export function parseRecord(text: string): SessionRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { created, session, user, epoch, maxAge, issued } = value;
  if (typeof created !== 'number' || !(created >= 0) || !isObject(session)) return undefined;
  return {
    created: created * 1000,
    data: new Map(Object.entries(session)),
    user: typeof user === 'string' ? user : undefined,
    epoch: typeof epoch === 'number' ? epoch : undefined,
    maxAge: typeof maxAge === 'number' && maxAge > 0 ? maxAge * 1000 : undefined,
    issued: typeof issued === 'number' ? issued * 1000 : undefined,
  };
}

/** Where a session went to when it got another identity. */
interface Pointer {
  readonly key: string;
  /** Only a logout may follow it: the session was renewed so that whoever knows the old identity stays outside. */
  readonly closed: boolean;
}

/** What stands under the old key for a while after an identity was renewed. */
export function formatPointer({ key, closed }: Pointer): string {
  return `{"moved":${JSON.stringify(key)}${closed ? ',"closed":true' : ''}}`;
}

/** The pointer in a text; `undefined` for everything else. */
export function parsePointer(text: string): Pointer | undefined {
  const parts = /^\{"moved":"([A-Za-z0-9_-]+)"(,"closed":true)?/.exec(text);
  return parts === null ? undefined : { key: parts[1]!, closed: parts[2] !== undefined };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A time as a record can hold it. */
export function wholeSeconds(milliseconds: number): number {
  return seconds(milliseconds) * 1000;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
