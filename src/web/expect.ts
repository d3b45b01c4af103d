import { isThenable } from './handler-result.ts';
import { HTTPExpectationFailed } from './http-exceptions.ts';
import type { Request } from './request.ts';
import type { ExpectHandler } from './route.ts';
import type { Awaitable, Chain, HandlerResult } from './types.ts';

/**
 * What happens for an `Expect` field when a route has no handler of its own for it (RFC 9110 §10.1.1): `100-continue` is
 * answered at once, anything else refused.
 */
function defaultExpectHandler(request: Request, expectation: string): void {
  if (expectation.toLowerCase() !== '100-continue') {
    // The text does not repeat the field: an answer must not reflect what a client sent.
    throw new HTTPExpectationFailed({ text: 'Unknown Expect: only 100-continue is understood' });
  }
  request._exchange.sendContinue();
}

/** Deals with the `Expect` field of a request, then goes on with its chain unless that was the answer already. */
export function answerExpectation(
  request: Request,
  handler: ExpectHandler | undefined,
  expectation: string,
  chain: Chain,
): Awaitable<HandlerResult> {
  const { major, minor } = request._exchange.head.version;
  if (major === 1 && minor === 0) return chain(request); // RFC 9110 §10.1.1: ignored in HTTP/1.0
  if (handler === undefined) {
    defaultExpectHandler(request, expectation);
    return chain(request);
  }
  const answer = handler(request);
  if (!isThenable(answer)) return answer ?? chain(request);
  return answer.then((value) => value ?? chain(request));
}
