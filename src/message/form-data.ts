import { formatContentDisposition } from './content-disposition.ts';
import { codedTypeError, shown } from './errors.ts';
import { MultipartWriter } from './multipart-writer.ts';
import { type Payload, utf8Whole, WholePayload } from './payload.ts';
import { type PayloadData, payloadRegistry } from './payload-registry.ts';
import { formatForm, type QueryValue, queryText } from './query.ts';

/** What a field of a form can be: text and numbers, or anything that can be sent, as a file. */
export type FormValue = QueryValue | PayloadData;

/** How a field is sent; each of them makes the form a multipart one. */
export interface FormFieldOptions {
  /** Media type. Default: that of the value; text has none, as in browsers. */
  readonly contentType?: string | undefined;
  /** Name of a file. Default: that of a `File`; `blob` for everything else that is no text, as in browsers. */
  readonly filename?: string | undefined;
  /** `base64` or `quoted-printable`: for receivers that need it (RFC 7578 §4.7 has no use for it). */
  readonly contentTransferEncoding?: string | undefined;
}

/** Fields: pairs (with options as the third of them), or a plain object whose arrays stand for repeated names. */
export type FormFields =
  | Iterable<readonly [name: string, value: FormValue, options?: FormFieldOptions]>
  | Readonly<Record<string, FormValue | readonly FormValue[] | undefined>>;

/** Options of a {@link FormData}. */
export interface FormDataOptions {
  /** `true`: it is sent as multipart even when no file is in it. Default `false`. */
  readonly defaultToMultipart?: boolean | undefined;
  /** What separates the fields; default: a random one, which is the better one. */
  readonly boundary?: string | undefined;
}

interface Field {
  readonly name: string;
  readonly value: FormValue;
  readonly options: FormFieldOptions | undefined;
}

/**
 * A form: sent urlencoded while all fields are text, as `multipart/form-data` when one is not, byte for byte as browsers write it (RFC 7578; WHATWG
 * HTML): line ends in text become CRLF, `"`, CR and LF in names become `%22`, `%0D`, `%0A`. It can be used for several requests.
 *
 * aiohttp: `FormData`.
 *
 * @example
 * ```ts
 * import { openAsBlob } from 'node:fs';
 * import { ClientSession, FormData } from 'aiohttp-ts';
 *
 * const form = new FormData({ title: 'A cat' });
 * form.addField('picture', await openAsBlob('cat.jpg'), { filename: 'cat.jpg', contentType: 'image/jpeg' });
 * await using session = new ClientSession();
 * await session.post('https://example.org/pictures', { data: form });
 * ```
 */
export class FormData {
  readonly #fields: Field[];
  readonly #boundary: string | undefined;
  #isMultipart: boolean;

  /** @throws what {@link addField} throws */
  constructor(fields?: FormFields, options: FormDataOptions = {}) {
    this.#fields = [];
    this.#boundary = options.boundary;
    this.#isMultipart = options.defaultToMultipart === true;
    if (fields !== undefined) this.addFields(fields);
  }

  /** The same fields as those of the platform's `FormData`, which is always sent as multipart. */
  static from(form: globalThis.FormData): FormData {
    const copy = new FormData(undefined, { defaultToMultipart: true });
    for (const [name, value] of form) copy.addField(name, value as FormValue);
    return copy;
  }

  /** A field is a file, or has options that only multipart can say. */
  get isMultipart(): boolean {
    return this.#isMultipart;
  }

  /** Number of fields; a repeated name counts each time. */
  get length(): number {
    return this.#fields.length;
  }

  /**
   * Adds a field at the end.
   *
   * @param value Text, or a number, which is sent as text; everything else is sent as a file.
   * @throws TypeError `AIO_FORM_FIELD` for a name that is no text, and for a value that cannot be sent; `AIO_QUERY_VALUE` for a number that is not
   *   finite.
   */
  addField(name: string, value: FormValue, options?: FormFieldOptions): this {
    if (typeof name !== 'string') {
      throw codedTypeError('AIO_FORM_FIELD', `the name of a field is text, got ${shown(name)}`);
    }
    const isText = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
    if (!isText && (value === null || (typeof value !== 'object' && typeof value !== 'function'))) {
      throw unsupported(name, value);
    }
    if (isText) queryText(name, value);
    checkOptions(name, options);
    this.#fields.push({ name, value, options });
    if (
      !isText ||
      options?.contentType !== undefined ||
      options?.filename !== undefined ||
      options?.contentTransferEncoding !== undefined
    ) {
      this.#isMultipart = true;
    }
    return this;
  }

  /**
   * Adds fields: pairs, triples with options, a plain object, a multidict.
   *
   * @throws what {@link addField} throws
   */
  addFields(fields: FormFields): this {
    if (Symbol.iterator in fields) {
      for (const field of fields as Iterable<readonly [string, FormValue, FormFieldOptions?]>) {
        if (!Array.isArray(field) || field.length < 2) {
          throw codedTypeError(
            'AIO_FORM_FIELD',
            `the fields of a form are pairs [name, value] or an object, got ${shown(field)}`,
          );
        }
        this.addField(field[0], field[1], field[2]);
      }
      return this;
    }
    for (const [name, given] of Object.entries(fields)) {
      if (given === undefined) continue;
      for (const value of Array.isArray(given) ? given : [given]) this.addField(name, value as FormValue);
    }
    return this;
  }

  /**
   * What is sent for the form as it is now; fields that are added later are not in it.
   *
   * @throws TypeError `AIO_FORM_FIELD` for a value that cannot be sent, `AIO_CONTENT_DISPOSITION` for control characters in names; RangeError
   *   `AIO_PART_ENCODING`, `AIO_BOUNDARY`.
   */
  toPayload(): Payload {
    if (this.#isMultipart) return this.#multipart();
    const pairs = this.#fields.map(
      ({ name, value }) => [withLineEnds(name), withLineEnds(queryText(name, value as QueryValue))] as const,
    );
    return new WholePayload(formatForm(pairs), 'application/x-www-form-urlencoded');
  }

  #multipart(): MultipartWriter {
    const writer = new MultipartWriter('form-data', this.#boundary);
    for (const { name, value, options } of this.#fields) {
      const payload = payloadOf(name, value);
      // Text is a payload without type here: browsers write none, and servers take it for a field then.
      const isText = payload instanceof FieldText;
      const filename =
        options?.filename ?? payload.filename ?? (isText || payload === value ? undefined : 'blob');
      const contentType = options?.contentType ?? payload.contentType;
      const encoding = options?.contentTransferEncoding;
      writer.appendPayload(payload, [
        ['Content-Disposition', formatContentDisposition('form-data', { name, filename }, 'form-data')],
        ...(contentType === undefined ? [] : [['Content-Type', contentType] as const]),
        ...(encoding === undefined ? [] : [['Content-Transfer-Encoding', encoding] as const]),
      ]);
    }
    return writer;
  }
}

/** The text of a field. */
class FieldText extends WholePayload {
  constructor(text: string) {
    super(utf8Whole(withLineEnds(text)), undefined);
  }
}

function payloadOf(name: string, value: FormValue): Payload {
  if (typeof value === 'string') return new FieldText(value);
  if (typeof value === 'number' || typeof value === 'bigint') return new FieldText(queryText(name, value));
  const payload = payloadRegistry.get(value);
  if (payload === undefined) throw unsupported(name, value);
  return payload;
}

function withLineEnds(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/\r\n|\r|\n/g, '\r\n') : text;
}

function checkOptions(name: string, options: FormFieldOptions | undefined): void {
  if (options === undefined) return;
  for (const key of ['contentType', 'filename', 'contentTransferEncoding'] as const) {
    if (options[key] === undefined || typeof options[key] === 'string') continue;
    throw codedTypeError(
      'AIO_FORM_FIELD',
      `${key} of field ${shown(name)} is text, got ${shown(options[key])}`,
    );
  }
}

function unsupported(name: string, value: unknown): TypeError {
  return codedTypeError(
    'AIO_FORM_FIELD',
    `field ${shown(name)} is ${shown(value)}: text, a number, bytes, a Blob, an open file, a stream, a payload or a registered type are expected`,
  );
}
