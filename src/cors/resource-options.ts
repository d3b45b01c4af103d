import { corsRangeError } from './errors.ts';

/**
 * What scripts of an origin may do with a resource.
 *
 * aiohttp-cors: `ResourceOptions`.
 *
 * @example
 * ```ts
 * import type { ResourceOptions } from 'aiohttp-ts/cors';
 * const partner: ResourceOptions = { allowCredentials: true, allowHeaders: ['X-Token'], exposeHeaders: ['X-Total'], maxAge: 600 };
 * ```
 */
export interface ResourceOptions {
  /** Whether requests carry cookies and the script sees the answer to them. Not for `'*'` and not for `'null'`. Default `false`. */
  readonly allowCredentials?: boolean | undefined;
  /** Fields of the answer that scripts may read beside the few that they always may; `'*'` for all. Default none. */
  readonly exposeHeaders?: '*' | readonly string[] | undefined;
  /** Fields that requests may carry beside the few that they always may; `'*'` for whatever is asked for. Default none. */
  readonly allowHeaders?: '*' | readonly string[] | undefined;
  /** Methods; `'*'`, the default, for all that the resource has a route for. */
  readonly allowMethods?: '*' | readonly string[] | undefined;
  /** Whole **seconds**, as the field counts them, for which the browser remembers the answer to a preflight. Default: its own, 5 seconds. */
  readonly maxAge?: number | undefined;
  /** Whether pages of the public internet may ask a server in a private network (Private Network Access). Default `false`. */
  readonly allowPrivateNetwork?: boolean | undefined;
}

/** Options by origin: `'https://app.example'`, `'https://*.example.com'` for its sub-domains, `'null'`, or `'*'` for all others. */
export type OriginOptions = Readonly<Record<string, ResourceOptions>>;

/** {@link ResourceOptions} that were checked. */
export interface CheckedOptions {
  readonly allowCredentials: boolean;
  readonly exposeHeaders: '*' | readonly string[];
  /** In lower case. */
  readonly allowHeaders: '*' | readonly string[];
  /** In upper case. */
  readonly allowMethods: '*' | readonly string[];
  readonly maxAge: number | undefined;
  readonly allowPrivateNetwork: boolean;
}

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** @throws RangeError `AIO_CORS_OPTIONS` */
export function checkOptions(origin: string, options: ResourceOptions): CheckedOptions {
  const { allowCredentials = false, maxAge } = options;
  if (allowCredentials && (origin === '*' || origin === 'null')) {
    throw corsRangeError(
      `allowCredentials does not go together with the origin '${origin}': any page could act for whoever is logged in. List the origins instead.`,
    );
  }
  if (maxAge !== undefined && !(Number.isInteger(maxAge) && maxAge >= 0)) {
    throw corsRangeError(`maxAge of '${origin}' must be a whole number of seconds, got ${String(maxAge)}.`);
  }
  return {
    allowCredentials,
    exposeHeaders: names('exposeHeaders', options.exposeHeaders ?? []),
    allowHeaders: lowered(names('allowHeaders', options.allowHeaders ?? [])),
    allowMethods: raised(names('allowMethods', options.allowMethods ?? '*')),
    maxAge,
    allowPrivateNetwork: options.allowPrivateNetwork ?? false,
  };
}

function names(option: string, value: '*' | readonly string[]): '*' | readonly string[] {
  if (value === '*') return value;
  if (!Array.isArray(value)) throw corsRangeError(`${option} must be '*' or a list, got ${typeof value}.`);
  for (const name of value) {
    if (typeof name === 'string' && TOKEN.test(name) && name !== '*') continue;
    throw corsRangeError(`${option} holds ${JSON.stringify(name)}, which is no name.`);
  }
  return value;
}

function lowered(list: '*' | readonly string[]): '*' | readonly string[] {
  return list === '*' ? list : list.map((name) => name.toLowerCase());
}

function raised(list: '*' | readonly string[]): '*' | readonly string[] {
  return list === '*' ? list : list.map((name) => name.toUpperCase());
}

/** Whether a list of names says yes to one. */
export function includes(list: '*' | readonly string[], name: string): boolean {
  return list === '*' || list.includes(name);
}

/** The names in a list of a request, in lower case; `undefined` when one of them is none. */
export function requestedNames(field: string | undefined): string[] | undefined {
  const list = (field ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  return list.every((name) => TOKEN.test(name)) ? list : undefined;
}
