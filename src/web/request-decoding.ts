import { BodyDecoder, type DecodingRules, decodeNow, StreamReader } from '../message/index.ts';
import type { BaseRequest } from './base-request.ts';
import { PayloadAccessError } from './exchange-errors.ts';
import { HTTPBadRequest, HTTPRequestEntityTooLarge } from './http-exceptions.ts';

/** So much may come of few bytes before anybody asks how few. */
const FREE = 1_048_576;

/** The body of one request, on its way back to what it was before it was coded. Shared by a request and its clones. */
export class RequestDecoding {
  readonly #codings: readonly string[];
  readonly #rules: DecodingRules;
  #decoder: BodyDecoder | undefined;

  /**
   * @param codings that can be decoded, in the order in which they were applied
   * @param maxRatio how many times its encoded size a body may have when it is larger than 1 MiB
   */
  constructor(codings: readonly string[], maxRatio: number) {
    this.#codings = codings;
    this.#rules = {
      failed: (coding, cause) => new HTTPBadRequest({ text: `The body is not valid ${coding}.`, cause }),
      excess: (decoded, encoded) => excess(decoded, encoded, maxRatio),
    };
    this.#decoder = undefined;
  }

  /**
   * A body that is all here, without a stream; `undefined` when it is too large for that.
   * @throws HTTPBadRequest
   */
  now(body: Uint8Array): Uint8Array | undefined {
    return decodeNow(body, this.#codings, this.#rules);
  }

  /** The decoded body as a stream. What decodes it is released when the exchange ends, read or not. */
  stream(request: BaseRequest, body: StreamReader | Uint8Array): StreamReader {
    if (this.#decoder === undefined) {
      const source = body instanceof StreamReader ? body : StreamReader.from(body);
      const decoder = new BodyDecoder(source, this.#codings, this.#rules);
      this.#decoder = decoder;
      request.onDone((error) => decoder.stop(error ?? new PayloadAccessError()));
    }
    return this.#decoder.content;
  }
}

/** The second rule is for bodies of which nothing comes: an endless row of empty members, each of which costs a little. */
function excess(decoded: number, encoded: number, maxRatio: number): Error | undefined {
  if (decoded > FREE && decoded > encoded * maxRatio) {
    return new HTTPRequestEntityTooLarge(FREE, {
      text: `The body is compressed more than ${maxRatio} times.`,
    });
  }
  if (encoded > FREE + 2 * decoded) return new HTTPBadRequest({ text: 'The body is mostly padding.' });
  return undefined;
}
