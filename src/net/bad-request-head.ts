import { CIMultiDict, HttpVersion10 } from '../message/index.ts';
import type { RequestHead } from './exchange.ts';

/** Stands in for the head of a request that could not be parsed: nothing of what was sent can be trusted. */
export const BAD_REQUEST_HEAD: RequestHead = Object.freeze({
  method: 'UNKNOWN',
  target: '/',
  version: HttpVersion10,
  headers: new CIMultiDict(),
  header: (): undefined => undefined,
});
