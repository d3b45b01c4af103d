import type { BaseConnector } from './connector.ts';
import { ownOptions } from './own-options.ts';
import type { RequestOptions } from './request-options.ts';
import type { ClientResponse } from './response.ts';
import { ClientSession } from './session.ts';

/** Options of {@link request}. */
export interface OneShotOptions extends RequestOptions {
  /** Stays open; without it the request has a connector of its own. */
  readonly connector?: BaseConnector | undefined;
}

/**
 * Makes one request in a session of its own, which ends with the response: when its body has come to its end, or it is released. For more
 * than one request a `ClientSession` costs much less.
 *
 * Source: `aiohttp.request`.
 *
 * @throws what `ClientSession.request` throws
 *
 * @example
 * ```ts
 * import { request } from 'aiohttp-ts/client';
 *
 * await using response = await request('GET', 'http://example.org/');
 * console.log(await response.text());
 * ```
 */
export async function request(
  method: string,
  url: string | URL,
  options: OneShotOptions = {},
): Promise<ClientResponse> {
  const { connector, ...own } = ownOptions(options);
  const session = new ClientSession({ connector, connectorOwner: connector === undefined });
  try {
    const response = await session.request(method, url, own);
    const { lease } = response;
    if (lease === undefined || lease.released) {
      await session.close();
    } else {
      const { onReleased } = lease;
      lease.onReleased = () => {
        onReleased?.();
        void session.close();
      };
    }
    return response;
  } catch (error) {
    await session.close();
    throw error;
  }
}
