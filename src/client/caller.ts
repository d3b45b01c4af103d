import { TimeoutError } from '../asyncio/index.ts';
import { addCaller } from '../message/index.ts';
import { ClientError } from './errors.ts';

/**
 * Puts the lines of the calling code into the stack of an error of ours; what middlewares and serialisers throw stays as it is. Call it in an
 * async function that its caller awaits, in the `catch` block.
 */
export function withCaller(error: unknown): unknown {
  if (error instanceof ClientError || error instanceof TimeoutError) addCaller(error, withCaller);
  return error;
}
