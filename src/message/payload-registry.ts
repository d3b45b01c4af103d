import { Blob } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { type BodySource, isBodySource } from './body-source.ts';
import { codedRangeError, codedTypeError, shown } from './errors.ts';
// form-data.ts and multipart-writer.ts ask the registry in turn, for the values of fields and parts; nobody does while loading.
import { FormData } from './form-data.ts';
import {
  BlobPayload,
  BytesPayload,
  FilePayload,
  kindOf,
  OpenedPayload,
  Payload,
  StreamPayload,
  StringPayload,
} from './payload.ts';

/**
 * The types that a program registers with {@link registerPayload}, under any name, so that TypeScript takes them as bodies too.
 *
 * @example
 * ```ts
 * import { JsonPayload, registerPayload } from 'aiohttp-ts';
 *
 * class Invoice {
 *   number = 7;
 * }
 * declare module 'aiohttp-ts' {
 *   interface PayloadTypes {
 *     invoice: Invoice;
 *   }
 * }
 * registerPayload(Invoice, (invoice) => new JsonPayload({ number: invoice.number }));
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: others fill it
export interface PayloadTypes {}

/**
 * What has a payload from the start. Values of other kinds are given one by {@link registerPayload}.
 *
 * Text is sent as UTF-8, a `Blob` with its type and length, an open file with its length, sources piece by piece, forms as multipart when a file is in
 * them. A function that opens a source lets it be sent again, when a redirect or a retry asks for it; a source itself can be sent once.
 */
export type PayloadData =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FileHandle
  | Payload
  | FormData
  | globalThis.FormData
  | BodySource
  | (() => BodySource | Promise<BodySource>)
  | PayloadTypes[keyof PayloadTypes];

/**
 * When a payload's type is asked: before all kinds that the package knows, before files and everything that comes piece by piece (where most
 * belong), or when nothing else has matched.
 *
 * aiohttp: `payload.Order`.
 */
export type PayloadOrder = 'tryFirst' | 'normal' | 'tryLast';

/** Values of a class, or those that a function recognises. */
export type PayloadType<T> =
  | (abstract new (
      ...args: never[]
    ) => T)
  | { readonly matches: (value: unknown) => value is T };

interface Entry {
  readonly matches: (value: unknown) => boolean;
  readonly factory: (value: never) => Payload;
}

/**
 * Which payload stands for which value.
 *
 * aiohttp: `payload.PayloadRegistry`.
 *
 * @example
 * ```ts
 * import { payloadRegistry } from 'aiohttp-ts';
 *
 * payloadRegistry.get('text')?.contentType; // 'text/plain; charset=utf-8'
 * payloadRegistry.get(5); // undefined
 * ```
 */
export class PayloadRegistry {
  readonly #entries: Readonly<Record<PayloadOrder, Entry[]>> = { tryFirst: [], normal: [], tryLast: [] };
  /** Read for every body: kept beside the table. */
  readonly #first: readonly Entry[] = this.#entries.tryFirst;

  /**
   * Adds a type; among those of the same order, the one that was added last is asked first.
   *
   * @param factory Makes the payload of a value.
   * @param order Default `'normal'`.
   * @returns Takes the type out again.
   * @throws TypeError, RangeError `AIO_PAYLOAD_TYPE` for a type or order that is none.
   */
  register<T>(
    type: PayloadType<T>,
    factory: (value: T) => Payload,
    order: PayloadOrder = 'normal',
  ): () => void {
    if (!Object.hasOwn(this.#entries, order)) {
      throw codedRangeError(
        'AIO_PAYLOAD_TYPE',
        `order is 'tryFirst', 'normal' or 'tryLast', got ${shown(order)}`,
      );
    }
    const entries = this.#entries[order];
    const entry: Entry = { matches: matcher(type), factory };
    entries.unshift(entry);
    return () => {
      const index = entries.indexOf(entry);
      if (index !== -1) entries.splice(index, 1);
    };
  }

  /**
   * The payload that stands for a value; `undefined` when there is none.
   *
   * @throws TypeError `AIO_PAYLOAD_TYPE` when a registered factory gives something else than a payload.
   */
  get(data: unknown): Payload | undefined {
    if (this.#first.length !== 0) {
      const made = find(this.#first, data);
      if (made !== undefined) return made;
    }
    if (typeof data === 'string') return new StringPayload(data);
    if (data instanceof Uint8Array) return new BytesPayload(data);
    if (data instanceof Payload) return data;
    return find(this.#entries.normal, data) ?? known(data) ?? find(this.#entries.tryLast, data);
  }
}

function matcher(type: unknown): (value: unknown) => boolean {
  if (typeof type === 'function' && type.prototype !== undefined) return (value) => value instanceof type;
  if (typeof type === 'object' && type !== null && 'matches' in type && typeof type.matches === 'function') {
    const { matches } = type;
    return (value) => Boolean(matches(value));
  }
  throw codedTypeError(
    'AIO_PAYLOAD_TYPE',
    `the type of a payload is a class or { matches: (value) => boolean }, got ${kindOf(type)}`,
  );
}

function find(entries: readonly Entry[], data: unknown): Payload | undefined {
  for (const { matches, factory } of entries) {
    if (!matches(data)) continue;
    const payload: unknown = factory(data as never);
    if (payload instanceof Payload) return payload;
    throw codedTypeError(
      'AIO_PAYLOAD_TYPE',
      `a registered factory gave ${kindOf(payload)} for ${kindOf(data)}; a Payload is expected`,
    );
  }
  return undefined;
}

function known(data: unknown): Payload | undefined {
  if (typeof data === 'function') return new OpenedPayload(data as () => BodySource);
  if (typeof data !== 'object' || data === null) return undefined;
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return new BytesPayload(data);
  if (data instanceof Blob) return new BlobPayload(data);
  if (data instanceof FormData) return data.toPayload();
  if (isFile(data)) return new FilePayload(data);
  if (isBodySource(data)) return new StreamPayload(data);
  return isPlatformForm(data) ? FormData.from(data).toPayload() : undefined;
}

/** By its name: asking for the class itself loads all of Node's fetch, and forms of other packages have others. */
function isPlatformForm(data: object): data is globalThis.FormData {
  return Symbol.iterator in data && Object.prototype.toString.call(data) === '[object FormData]';
}

function isFile(data: object): data is FileHandle {
  return (
    'fd' in data && 'stat' in data && 'read' in data && typeof data.read === 'function' && !('pipe' in data)
  );
}

/**
 * The registry that requests, responses and multipart writers ask.
 *
 * aiohttp: `payload.PAYLOAD_REGISTRY`.
 */
export const payloadRegistry: PayloadRegistry = new PayloadRegistry();

/**
 * Lets values of a type be sent as bodies and parts, by the client and the server: the same as `payloadRegistry.register()`.
 *
 * aiohttp: `payload.register_payload`, `payload_type`.
 *
 * @param type A class, or `{ matches }` with a function that recognises values.
 * @param factory Makes the payload of a value.
 * @param order Default `'normal'`; see {@link PayloadOrder}.
 * @returns Takes the type out again.
 * @throws TypeError, RangeError `AIO_PAYLOAD_TYPE` for a type or order that is none.
 * @example
 * ```ts
 * import { JsonPayload, registerPayload } from 'aiohttp-ts';
 *
 * class Invoice {
 *   number = 7;
 * }
 * registerPayload(Invoice, (invoice) => new JsonPayload({ number: invoice.number }));
 * ```
 */
export function registerPayload<T>(
  type: PayloadType<T>,
  factory: (value: T) => Payload,
  order: PayloadOrder = 'normal',
): () => void {
  return payloadRegistry.register(type, factory, order);
}
