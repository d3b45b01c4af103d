import {
  codedTypeError,
  FormData,
  type FormFields,
  formatForm,
  JsonPayload,
  kindOf,
  type MultiDict,
  type MultiDictInit,
  type Payload,
  type PayloadData,
  payloadRegistry,
  type QueryValue,
  WholePayload,
} from '../message/index.ts';

/**
 * What can be sent: all that has a payload, and forms. `URLSearchParams`, pairs and plain objects are forms, urlencoded while no file is among the
 * values.
 */
export type RequestData = PayloadData | URLSearchParams | MultiDict<QueryValue> | FormFields;

/**
 * The payload that data stands for.
 *
 * @throws TypeError `AIO_REQUEST_DATA` when it is nothing that can be sent
 */
export function bodyOf(data: RequestData): Payload {
  return payloadRegistry.get(data) ?? formPayload(data);
}

/** @throws TypeError `AIO_REQUEST_JSON` when the serialiser gives no text */
export function jsonBody(value: unknown, serialise: (value: unknown) => string): Payload {
  return new JsonPayload(value, { dumps: serialise });
}

function formPayload(data: unknown): Payload {
  if (data instanceof URLSearchParams) {
    return new WholePayload(data.toString(), 'application/x-www-form-urlencoded');
  }
  if (!isForm(data)) throw unsupported(data);
  const fields = Symbol.iterator in data ? [...data] : data;
  const form = new FormData(fields);
  if (form.isMultipart) return form.toPayload();
  // A form of a program's own: its text is sent as it is, where a FormData makes all line ends CRLF as browsers do.
  return new WholePayload(
    formatForm(fields as MultiDictInit<QueryValue>),
    'application/x-www-form-urlencoded',
  );
}

function isForm(data: unknown): data is FormFields {
  if (typeof data !== 'object' || data === null) return false;
  if (Symbol.iterator in data) return true;
  const prototype: unknown = Object.getPrototypeOf(data);
  return prototype === Object.prototype || prototype === null;
}

function unsupported(data: unknown): TypeError {
  return codedTypeError(
    'AIO_REQUEST_DATA',
    `${kindOf(data)}: data is text, bytes, a Blob, an open file, a form (FormData, pairs or a plain object), a stream or async iterable, a payload or a registered type, or a function that returns a source`,
  );
}
