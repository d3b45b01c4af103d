import type { ConditionalFields } from '../message/index.ts';
import type { BaseRequest } from './base-request.ts';

/** The conditions of a request; `undefined` for most, which have none and need nothing of what they could be compared with. */
export function conditionsOf(request: BaseRequest): ConditionalFields | undefined {
  const ifMatch = request._header('if-match');
  const ifUnmodifiedSince = request._header('if-unmodified-since');
  const ifNoneMatch = request._header('if-none-match');
  const ifModifiedSince = request._header('if-modified-since');
  if ((ifMatch ?? ifUnmodifiedSince ?? ifNoneMatch ?? ifModifiedSince) === undefined) return undefined;
  return { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince };
}
