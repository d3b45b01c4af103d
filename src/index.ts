/** The aiohttp system: the client, `web` (server), `asyncio` (tasks), and what both ends of HTTP share. */

export * as asyncio from './asyncio/index.ts';
export * from './client/index.ts';
export type { CIMultiDictProxy, HttpVersion, MultiDictProxy } from './message/index.ts';
export {
  CIMultiDict,
  ETag,
  HttpVersion10,
  HttpVersion11,
  MultiDict,
  RelURL,
  StreamReader,
} from './message/index.ts';
export * as web from './web/index.ts';
