/**
 * Requests from pages of other origins (CORS), by resource and route. Counterpart of `aiohttp_cors`.
 *
 * @module
 */
export { CorsConfig, type CorsOptions, setup } from './cors-config.ts';
export type { OriginOptions, ResourceOptions } from './resource-options.ts';
