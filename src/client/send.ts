import { CHUNK_END, chunkHead, LAST_CHUNK, ProtocolError } from '../http1/index.ts';
import type { ClientConnection, ReceivedMessage } from '../net/index.ts';
import type { BaseConnector } from './connector.ts';
import { ClientOSError, ClientPayloadError, ClientResponseError, ServerDisconnectedError } from './errors.ts';
import { PooledConnection } from './pooled-connection.ts';
import type { ClientRequest } from './request.ts';
import { type WrittenHead, writeHead } from './request-head.ts';
import { ClientResponse } from './response.ts';
import { type RequestDiagnostics, requestChannel, type Trace } from './tracing.ts';
import { Upload } from './upload.ts';

/** Methods that do the same when they are done twice (RFC 9110 §9.2.2), and QUERY. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
  'QUERY',
]);
/** A body of up to this many bytes goes out in one write with the head. */
const IN_ONE_WRITE = 65_536;
/** How long a server is given to agree to a body, in milliseconds (RFC 9110 §10.1.1: not for ever). */
const CONTINUE_WAIT = 1000;
/** Informational answers to one request that are passed over. */
const MAX_INFORMATIONAL = 64;

const PLAIN_HEAD = { chunked: false, length: undefined, expectContinue: false };

/**
 * Sends a request on a connection of its session and gives back the response when its head has come: what stands behind the last
 * middleware.
 */
export function sendRequest(request: ClientRequest): Promise<ClientResponse> {
  if (!requestChannel.hasSubscribers) return exchange(request);
  const diagnostics: RequestDiagnostics = { request };
  return requestChannel.tracePromise(async () => {
    const response = await exchange(request);
    diagnostics.response = response;
    return response;
  }, diagnostics);
}

async function exchange(request: ClientRequest): Promise<ClientResponse> {
  const { guard, body, session } = request;
  guard.throwIfFailed();
  guard.upload?.stop(new ClientPayloadError('The request is sent again'));
  guard.upload = undefined;
  if (body !== undefined) {
    if (body.consumed) {
      throw new ClientPayloadError(
        'Cannot send a consumed request body again: give a function that opens it',
      );
    }
    const preparing = body.prepare();
    if (preparing !== undefined) await guard.race(preparing);
  }
  const head = request.isPlain ? session.plainHead(request) : writeHead(request);
  const connecting = connect(request);
  // Most requests find a connection: waiting for what is there costs a promise and a turn.
  const lease = connecting instanceof PooledConnection ? connecting : await connecting;
  guard.lease = lease;
  guard.phase = 'head';
  try {
    let message = await converse(request, lease, head);
    if (isInformational(message)) message = await final(lease.connection, message);
    if (message.head.status === 101) checkUpgrade(request);
    const response = new ClientResponse(request, message, lease);
    if (!lease.released) session.watch(response);
    return response;
  } catch (error) {
    const isStale = lease.reused && guard.failure === undefined;
    lease.close();
    const failure = guard.failure ?? error;
    if (isStale && isDisconnected(failure) && IDEMPOTENT.has(request.method) && body?.consumed !== true) {
      request.staleError = failure;
    }
    if (failure instanceof ProtocolError) {
      throw new ClientResponseError(request, request.history, {
        status: failure.status,
        message: failure.message,
        cause: failure,
      });
    }
    throw failure;
  }
}

/** A connection for the request: an idle one at once, else what the connector makes. */
function connect(request: ClientRequest): PooledConnection | Promise<PooledConnection> {
  const { session, traces } = request;
  const { connector } = session;
  const key = request.connectionKey;
  if (traces === undefined) {
    const lease = connector.reuse(key);
    if (lease !== undefined) return lease;
  }
  return waitForConnection(request, connector);
}

async function waitForConnection(
  request: ClientRequest,
  connector: BaseConnector,
): Promise<PooledConnection> {
  const { guard, timeout: timeouts, traces, connectionKey: key } = request;
  guard.phase = 'connect';
  try {
    const lease = await connector.connect({ key, timeouts, traces, onStart: guard.abortsConnecting });
    if (guard.failure !== undefined) lease.release();
    guard.throwIfFailed();
    return lease;
  } catch (error) {
    // What the call was given up for, not the failure of the connection that this made of it.
    throw guard.failure ?? error;
  } finally {
    guard.abortConnecting = undefined;
  }
}

/** Sends, and gives the first answer. Not async: the promise of the connection is handed on as it is, which saves each request two. */
function converse(
  request: ClientRequest,
  lease: PooledConnection,
  head: WrittenHead | string,
): Promise<ReceivedMessage> {
  const { connection } = lease;
  const { body, traces } = request;
  connection.begin(request.method, request.messageOptions);
  const plain = typeof head === 'string';
  connection.write(plain ? head : head.text);
  const { chunked, length, expectContinue } = plain ? PLAIN_HEAD : head;
  const whole =
    request.compress === undefined && request.settings.trailers === undefined ? body?.whole : undefined;
  if (
    body === undefined ||
    (whole !== undefined && whole.length <= IN_ONE_WRITE && !expectContinue && (length ?? 0) <= whole.length)
  ) {
    if (whole !== undefined) writeWhole(connection, whole, chunked, length);
    // The whole request is handed over: whether it has left does not matter, its answer tells.
    connection.flush()?.catch(ignore);
    connection.endRequest();
    if (traces !== undefined) return answerAfterTraces(request, connection, traces, whole);
    if (whole !== undefined) reportWhole(request, whole);
    return connection.response();
  }
  connection.flush()?.catch(ignore);
  return upload(request, lease, { chunked, length, expectContinue });
}

async function answerAfterTraces(
  request: ClientRequest,
  connection: ClientConnection,
  traces: readonly Trace[],
  whole: string | Uint8Array | undefined,
): Promise<ReceivedMessage> {
  for (const trace of traces) await trace.requestHeadersSent(request);
  if (whole !== undefined) {
    const chunk = typeof whole === 'string' ? Buffer.from(whole, 'latin1') : whole;
    for (const trace of traces) await trace.requestChunkSent(request, chunk);
    reportWhole(request, whole);
  }
  return connection.response();
}

function reportWhole(request: ClientRequest, whole: string | Uint8Array): void {
  request.settings.onUploadProgress?.({ loaded: whole.length, total: whole.length });
}

function writeWhole(
  connection: ClientConnection,
  whole: string | Uint8Array,
  chunked: boolean,
  length: number | undefined,
): void {
  if (chunked) {
    if (whole.length > 0) {
      connection.write(chunkHead(whole.length));
      connection.write(whole);
      connection.write(CHUNK_END);
    }
    connection.write(LAST_CHUNK);
  } else if (length === undefined || length === whole.length) {
    if (whole.length > 0) connection.write(whole);
  } else {
    // A Content-Length of the caller's that is smaller than the body cuts it (aiohttp does the same).
    connection.write(typeof whole === 'string' ? whole.slice(0, length) : whole.subarray(0, length));
  }
}

/** Sends a body piece by piece while the answer is waited for: a server may answer before it has all of it. */
async function upload(
  request: ClientRequest,
  lease: PooledConnection,
  framing: Omit<WrittenHead, 'text'>,
): Promise<ReceivedMessage> {
  const { guard, traces, settings } = request;
  const { connection } = lease;
  if (traces !== undefined) for (const trace of traces) await trace.requestHeadersSent(request);
  const sender = new Upload(connection, request.body!, {
    chunked: framing.chunked,
    length: framing.length,
    compress: request.compress,
    trailers: settings.trailers,
    onProgress: settings.onUploadProgress,
    onPiece:
      traces === undefined
        ? undefined
        : async (piece) => {
            for (const trace of traces) await trace.requestChunkSent(request, piece);
          },
  });
  let failure: unknown;
  const send = (): void => {
    guard.upload = sender;
    guard.phase = 'send';
    sender.run().then(
      () => {
        if (guard.phase === 'send') guard.phase = 'head';
      },
      (error: unknown) => {
        failure = guard.failure ?? error;
        lease.close(error instanceof Error ? error : new ClientPayloadError(String(error)));
      },
    );
  };
  let answer = connection.response();
  if (framing.expectContinue) {
    const first = await within(answer, CONTINUE_WAIT);
    if (first !== undefined) {
      if (!isInformational(first)) return first;
      answer = connection.response();
    }
  }
  send();
  try {
    const message = await final(connection, await answer);
    if (lease.released)
      sender.stop(new ClientPayloadError('The server answered and did not wait for the body'));
    return message;
  } catch (error) {
    const reason = failure ?? error;
    sender.stop(reason instanceof Error ? reason : new ClientPayloadError(String(reason)));
    throw reason;
  }
}

/** The final answer behind informational ones. */
async function final(connection: ClientConnection, first: ReceivedMessage): Promise<ReceivedMessage> {
  let message = first;
  for (let passed = 0; isInformational(message); passed++) {
    if (passed === MAX_INFORMATIONAL) {
      throw new ClientPayloadError(`The server sent more than ${MAX_INFORMATIONAL} informational answers`);
    }
    message = await connection.response();
  }
  return message;
}

function isInformational({ head }: ReceivedMessage): boolean {
  return head.status < 200 && head.status !== 101;
}

function checkUpgrade(request: ClientRequest): void {
  const fields = request.fields();
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]!.toLowerCase() === 'upgrade') return;
  }
  throw new ClientResponseError(request, request.history, {
    status: 101,
    message: 'The server switched protocols without being asked to',
  });
}

function isDisconnected(error: unknown): boolean {
  return error instanceof ServerDisconnectedError || error instanceof ClientOSError;
}

/** What a promise resolves with, or `undefined` when that takes longer than `delay` milliseconds. */
async function within<T>(promise: Promise<T>, delay: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, delay, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function ignore(): void {}
