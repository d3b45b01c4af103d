import { isCancelled } from '../asyncio/index.ts';
import type { ClientResponse } from './response.ts';

/** Bodies up to this many bytes are read to their end, so that the connection can be used again. */
const WORTH_READING = 65_536;

/** Gives a response up that another request takes the place of. */
export async function discard(response: ClientResponse): Promise<void> {
  const { contentLength } = response;
  if (!response.closed && contentLength !== undefined && contentLength <= WORTH_READING) {
    try {
      await response.read();
    } catch (error) {
      if (isCancelled(error)) throw error;
      // Nobody wanted the body: that it did not come is nobody's business.
    }
  }
  response.release();
}
