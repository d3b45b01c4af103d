import { randomBytes } from 'node:crypto';
import type { BodySource } from './body-source.ts';
import { codedRangeError, codedTypeError, shown } from './errors.ts';
import { isToken } from './grammar.ts';
import { formatMediaType } from './media-type.ts';
import { CIMultiDict, type MultiDictInit } from './multidict.ts';
import { MultipartSource, type WrittenPart } from './multipart-source.ts';
import { encodedSize, type PartEncoding, partEncoding } from './part-encoding.ts';
import { JsonPayload, kindOf, Payload, WholePayload } from './payload.ts';
import { type PayloadData, payloadRegistry } from './payload-registry.ts';
import { formatForm, type QueryValue } from './query.ts';

/** Fields of a part. Characters beyond ASCII are written as UTF-8. */
export type PartHeaders = MultiDictInit<string>;

/** As RFC 2046 §5.1.1 has it: 1 to 70 characters, no space at the end. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
/** Bodies of up to this many bytes are written with the head of the message, in one piece. */
const IN_ONE_PIECE = 65_536;

interface Part {
  readonly payload: Payload;
  readonly encoding: PartEncoding | undefined;
  /** Its fields as they are written, but for its length. */
  readonly fields: string;
}

/**
 * A multipart body: parts of any kind, each with fields of its own, written as they are asked for. It is sent by the client (`data`) and the server
 * (`body`), and may be a part of another one. Its length is known when that of every part is; it can be sent again when every part can.
 *
 * For forms there is {@link FormData}. Parts get Content-Type and Content-Disposition from what they are, and Content-Length when it is known
 * (not in `multipart/form-data`, where RFC 7578 §4.8 has no room for it). A Content-Encoding (gzip, deflate, br) or
 * Content-Transfer-Encoding (base64, quoted-printable) among the fields of a part is applied to it.
 *
 * aiohttp: `MultipartWriter`.
 *
 * @example
 * ```ts
 * import { MultipartWriter } from 'aiohttp-ts';
 *
 * const related = new MultipartWriter('related');
 * related.appendJson({ name: 'logo' });
 * related.append(Uint8Array.of(0x89, 0x50), { 'Content-Type': 'image/png', 'Content-ID': '<logo>' });
 * console.log(related.contentType, related.size);
 * ```
 */
export class MultipartWriter extends Payload {
  /** What separates the parts. */
  readonly boundary: string;
  readonly #isForm: boolean;
  readonly #isChosen: boolean;
  readonly #parts: Part[];
  #sealed: boolean;
  #opened: boolean;

  /**
   * @param subtype What stands behind `multipart/`; default `mixed`.
   * @param boundary Default: a random one, which content that others wrote cannot contain on purpose.
   * @throws RangeError `AIO_BOUNDARY` for a boundary that RFC 2046 does not allow, `AIO_MEDIA_TYPE` for a malformed subtype.
   */
  constructor(subtype: string = 'mixed', boundary?: string | undefined) {
    const checked = boundary === undefined ? randomBoundary() : checkedBoundary(boundary);
    super(formatMediaType(`multipart/${subtype}`, { boundary: checked }));
    this.boundary = checked;
    this.#isForm = subtype.toLowerCase() === 'form-data';
    this.#isChosen = boundary !== undefined;
    this.#parts = [];
    this.#sealed = false;
    this.#opened = false;
  }

  /** Number of parts. */
  get length(): number {
    return this.#parts.length;
  }

  /**
   * Adds a part.
   *
   * @param value Whatever can be sent, another writer too.
   * @param headers Take the place of what the value says of itself.
   * @returns The part's payload.
   * @throws TypeError `AIO_PAYLOAD` for a value that cannot be sent, `AIO_PART_HEADER` for fields that cannot be written; RangeError
   *   `AIO_PART_ENCODING` for an unknown encoding; Error `AIO_MULTIPART_SENT` when the body is being sent.
   */
  append(value: PayloadData, headers?: PartHeaders): Payload {
    const payload = payloadRegistry.get(value);
    if (payload === undefined) throw unsupported(value);
    return this.appendPayload(payload, headers);
  }

  /** Adds a part that is JSON. `headers` and errors as of {@link append}. */
  appendJson(value: unknown, headers?: PartHeaders): Payload {
    return this.appendPayload(new JsonPayload(value), headers);
  }

  /** Adds a part that is a urlencoded form. `headers` and errors as of {@link append}. */
  appendForm(fields: MultiDictInit<QueryValue>, headers?: PartHeaders): Payload {
    return this.appendPayload(
      new WholePayload(formatForm(fields), 'application/x-www-form-urlencoded'),
      headers,
    );
  }

  /** Adds a payload as a part. `headers` and errors as of {@link append}. */
  appendPayload(payload: Payload, headers?: PartHeaders): Payload {
    if (this.#sealed) {
      throw Object.assign(new Error('No part can be added: the multipart body is being sent'), {
        code: 'AIO_MULTIPART_SENT',
      });
    }
    if (payload === this || (payload instanceof MultipartWriter && payload.#contains(this))) {
      throw codedTypeError('AIO_PAYLOAD', 'a multipart body cannot be a part of itself');
    }
    const given = new CIMultiDict(headers);
    const encoding = partEncoding(given.get('content-encoding'), given.get('content-transfer-encoding'));
    this.#checkBoundary(payload, encoding);
    this.#parts.push({ payload, encoding, fields: fieldsOf(payload, given) });
    return payload;
  }

  override get size(): number | undefined {
    let size = this.#end.length;
    for (const part of this.#parts) {
      const own = contentSize(part);
      if (own === undefined) return undefined;
      size += Buffer.byteLength(this.#headOf(part), 'utf8') + own + 2;
    }
    return size;
  }

  override get replayable(): boolean {
    return this.#parts.every(({ payload }) => payload.replayable);
  }

  override get consumed(): boolean {
    return this.#parts.some(({ payload }) => payload.consumed) || (this.#opened && !this.replayable);
  }

  override get whole(): Uint8Array | undefined {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (const part of this.#parts) {
      const content = part.encoding === undefined ? part.payload.whole : undefined;
      if (content === undefined || (size += content.length) > IN_ONE_PIECE) return undefined;
      pieces.push(
        Buffer.from(this.#headOf(part), 'utf8'),
        typeof content === 'string' ? Buffer.from(content, 'latin1') : content,
        LINE_END,
      );
    }
    pieces.push(Buffer.from(this.#end, 'latin1'));
    return Buffer.concat(pieces);
  }

  override prepare(): Promise<void> | undefined {
    this.#sealed = true;
    const preparing: Promise<void>[] = [];
    for (const { payload } of this.#parts) {
      const prepared = payload.prepare();
      if (prepared !== undefined) preparing.push(prepared);
    }
    return preparing.length === 0 ? undefined : Promise.all(preparing).then(ignore);
  }

  override open(): BodySource {
    this.#sealed = true;
    this.#opened = true;
    const parts = this.#parts.map(
      (part): WrittenPart => ({ head: this.#headOf(part), payload: part.payload, encoding: part.encoding }),
    );
    return new MultipartSource(parts, this.#end);
  }

  override release(reason: Error): void {
    if (!this.#opened) for (const { payload } of this.#parts) payload.release(reason);
  }

  get #end(): string {
    return `--${this.boundary}--\r\n`;
  }

  #headOf(part: Part): string {
    const size = this.#isForm ? undefined : contentSize(part);
    const length = size === undefined ? '' : `Content-Length: ${size}\r\n`;
    return `--${this.boundary}\r\n${part.fields}${length}\r\n`;
  }

  #contains(writer: MultipartWriter): boolean {
    return this.#parts.some(
      ({ payload }) =>
        payload === writer || (payload instanceof MultipartWriter && payload.#contains(writer)),
    );
  }

  /** A part in which the delimiter occurs would be taken for several: possible only with a boundary that somebody could know. */
  #checkBoundary(payload: Payload, encoding: PartEncoding | undefined): void {
    if (payload instanceof MultipartWriter && payload.boundary.startsWith(this.boundary)) {
      throw codedRangeError(
        'AIO_BOUNDARY',
        'the boundary of a part must not begin with that of the body around it',
      );
    }
    if (!this.#isChosen || encoding !== undefined) return;
    const { whole } = payload;
    if (whole === undefined) return;
    const text =
      typeof whole === 'string' ? whole : Buffer.from(whole.buffer, whole.byteOffset, whole.length);
    if (text.includes(`--${this.boundary}`)) {
      throw codedRangeError(
        'AIO_BOUNDARY',
        `a part contains the boundary ${shown(this.boundary)}: leave the boundary out, then a random one is taken`,
      );
    }
  }
}

function contentSize({ payload, encoding }: Part): number | undefined {
  return encoding === undefined ? payload.size : encodedSize(payload.size, encoding);
}

function fieldsOf(payload: Payload, given: CIMultiDict): string {
  let fields = '';
  for (const [name, value] of given) fields += partField(name, value);
  const { contentType } = payload;
  if (contentType !== undefined && !given.has('content-type')) {
    fields += partField('Content-Type', contentType);
  }
  const disposition = given.has('content-disposition') ? undefined : payload.contentDisposition;
  if (disposition !== undefined) fields += partField('Content-Disposition', disposition);
  return fields;
}

/** Nothing in a field may end its line: what follows would be another field, or the content (CVE-2026-34514, CVE-2026-50269). */
function partField(name: string, value: string): string {
  if (!isToken(name) || typeof value !== 'string' || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
    throw codedTypeError(
      'AIO_PART_HEADER',
      `${shown(name)}: ${shown(value)} cannot be a field of a part: the name is a token, the value text without control characters`,
    );
  }
  if (/^(?:content-length|transfer-encoding)$/i.test(name)) {
    throw codedTypeError('AIO_PART_HEADER', `${name} of a part follows from its content and cannot be set`);
  }
  return `${name}: ${value}\r\n`;
}

/** @throws RangeError `AIO_BOUNDARY` */
function checkedBoundary(boundary: string): string {
  if (typeof boundary === 'string' && BOUNDARY.test(boundary)) return boundary;
  throw codedRangeError(
    'AIO_BOUNDARY',
    `a boundary is 1 to 70 of the characters 0-9 A-Z a-z '()+_,-./:=? and space, no space at its end (RFC 2046 §5.1.1); got ${shown(boundary)}`,
  );
}

/** As browsers make theirs, which every server has seen: dashes, a name, and 128 random bits. */
function randomBoundary(): string {
  return `----aiohttpFormBoundary${randomBytes(16).toString('hex')}`;
}

function unsupported(value: unknown): TypeError {
  return codedTypeError(
    'AIO_PAYLOAD',
    `${kindOf(value)} cannot be sent: text, bytes, a Blob, an open file, a form, a stream or async iterable, a payload or a registered type are expected`,
  );
}

const LINE_END = Buffer.from('\r\n');

function ignore(): void {}
