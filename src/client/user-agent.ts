import { HAS_ZSTD } from '../message/index.ts';

/** What a request says of its sender. A test keeps the version equal to the package's. */
export const USER_AGENT: string = `Node.js/${process.versions.node} aiohttp-ts/0.1.0`;

/** Codings that a response may come in, as aiohttp lists them. */
export const ACCEPT_ENCODING: string = HAS_ZSTD ? 'gzip, deflate, br, zstd' : 'gzip, deflate, br';
