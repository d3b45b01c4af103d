/** What tests of an application need: a server on a free port, and requests without a socket. */

export { testRequest } from './test-request.ts';
export {
  BaseTestServer,
  RawTestServer,
  type RawTestServerOptions,
  TestServer,
  type TestServerAddress,
  type TestServerOptions,
} from './test-server.ts';
