/** What tests of an application need: a server on a free port, and requests without a socket. */

export {
  type ExpectedCall,
  MockConnector,
  type MockConnectorOptions,
  UnexpectedRequestError,
} from './mock-connector.ts';
export type { MockAnswer, MockReply, MockReplyOptions, MockUrl } from './recorded-answers.ts';
export { MockCall } from './recorded-answers.ts';
export { TestClient } from './test-client.ts';
export { testRequest } from './test-request.ts';
export {
  BaseTestServer,
  RawTestServer,
  type RawTestServerOptions,
  TestServer,
  type TestServerAddress,
  type TestServerOptions,
} from './test-server.ts';
