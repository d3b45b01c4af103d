import { tracingChannel } from 'node:diagnostics_channel';
import type { CIMultiDictProxy } from '../message/index.ts';
import type { ConnectTrace } from './connect-request.ts';
import type { ClientRequest } from './request.ts';
import type { ClientResponse } from './response.ts';
import type { ClientSession } from './session.ts';

/** Params of `onRequestStart` and `onRequestHeadersSent`. */
export interface TraceRequestParams {
  readonly method: string;
  readonly url: URL;
  readonly headers: CIMultiDictProxy;
}

/** Params of `onRequestChunkSent` and `onResponseChunkReceived`. */
export interface TraceChunkParams {
  readonly method: string;
  readonly url: URL;
  readonly chunk: Uint8Array;
}

/** Params of `onRequestEnd` and `onRequestRedirect`. */
export interface TraceResponseParams extends TraceRequestParams {
  readonly response: ClientResponse;
}

/** Params of `onRequestException`. */
export interface TraceExceptionParams extends TraceRequestParams {
  readonly exception: unknown;
}

/** Params of the signals about name look-ups. */
export interface TraceDnsParams {
  readonly host: string;
}

/** Params of signals that have nothing to tell but that they happened. */
export type TraceNoParams = Readonly<Record<never, never>>;

/** What listens to a signal; the request waits for what it returns. */
export type TraceListener<Context, Params> = (
  session: ClientSession,
  context: Context,
  params: Params,
) => void | Promise<void>;

/** The listeners of a signal, in the order in which they are called. Source: aiohttp's `Signal`. */
export class TraceSignal<Context, Params> {
  readonly #listeners: TraceListener<Context, Params>[] = [];

  get length(): number {
    return this.#listeners.length;
  }

  /** Adds listeners behind the others. Requests that are under way see them too. */
  append(...listeners: TraceListener<Context, Params>[]): void {
    this.#listeners.push(...listeners);
  }

  /** @internal */
  async send(session: ClientSession, context: Context, makeParams: () => Params): Promise<void> {
    if (this.#listeners.length === 0) return;
    const params = makeParams();
    for (const listener of this.#listeners) await listener(session, context, params);
  }
}

/** The context of a call when no factory was given: anything may be put into it. */
export interface TraceContext {
  /** What the request gave as `traceRequestCtx`. */
  traceRequestCtx: unknown;
  [name: string]: unknown;
}

/**
 * Listeners for what happens during the requests of a session: give it as one of `traceConfigs`. Each call has a context of its own, which all
 * listeners of this config get.
 *
 * Source: `aiohttp.TraceConfig`.
 *
 * @example
 * ```ts
 * import { ClientSession, TraceConfig } from 'aiohttp-ts/client';
 *
 * const timing = new TraceConfig(() => ({ started: performance.now() }));
 * timing.onRequestEnd.append((_session, context, { method, url }) => {
 *   console.log(method, url.href, performance.now() - context.started);
 * });
 * await using session = new ClientSession({ traceConfigs: [timing] });
 * ```
 */
export class TraceConfig<Context = TraceContext> implements TraceSource {
  readonly onRequestStart: TraceSignal<Context, TraceRequestParams> = new TraceSignal();
  readonly onRequestChunkSent: TraceSignal<Context, TraceChunkParams> = new TraceSignal();
  readonly onResponseChunkReceived: TraceSignal<Context, TraceChunkParams> = new TraceSignal();
  readonly onRequestEnd: TraceSignal<Context, TraceResponseParams> = new TraceSignal();
  readonly onRequestException: TraceSignal<Context, TraceExceptionParams> = new TraceSignal();
  readonly onRequestRedirect: TraceSignal<Context, TraceResponseParams> = new TraceSignal();
  readonly onRequestHeadersSent: TraceSignal<Context, TraceRequestParams> = new TraceSignal();
  readonly onConnectionQueuedStart: TraceSignal<Context, TraceNoParams> = new TraceSignal();
  readonly onConnectionQueuedEnd: TraceSignal<Context, TraceNoParams> = new TraceSignal();
  readonly onConnectionCreateStart: TraceSignal<Context, TraceNoParams> = new TraceSignal();
  readonly onConnectionCreateEnd: TraceSignal<Context, TraceNoParams> = new TraceSignal();
  readonly onConnectionReuseconn: TraceSignal<Context, TraceNoParams> = new TraceSignal();
  readonly onDnsResolvehostStart: TraceSignal<Context, TraceDnsParams> = new TraceSignal();
  readonly onDnsResolvehostEnd: TraceSignal<Context, TraceDnsParams> = new TraceSignal();
  readonly onDnsCacheHit: TraceSignal<Context, TraceDnsParams> = new TraceSignal();
  readonly onDnsCacheMiss: TraceSignal<Context, TraceDnsParams> = new TraceSignal();
  readonly #factory: (traceRequestCtx: unknown) => Context;

  /** @param contextFactory makes the context of a call from its `traceRequestCtx`; default: an object that holds it by this name */
  constructor(contextFactory?: (traceRequestCtx: unknown) => Context) {
    // Without a factory nothing but the default fits `Context`.
    this.#factory = contextFactory ?? ((traceRequestCtx) => ({ traceRequestCtx }) as Context);
  }

  /** The context of one call. */
  traceConfigCtx(traceRequestCtx?: unknown): Context {
    return this.#factory(traceRequestCtx);
  }

  /** Called by the session when a call begins. */
  begin(session: ClientSession, traceRequestCtx: unknown): Trace {
    const context = this.traceConfigCtx(traceRequestCtx);
    return new ConfiguredTrace(this, session, context);
  }
}

/** What a session asks of its trace configs: a {@link TraceConfig} with a context of any kind. */
export interface TraceSource {
  /** A call begins. */
  begin(session: ClientSession, traceRequestCtx: unknown): Trace;
}

/** What one trace config is told during one call. */
export interface Trace extends ConnectTrace {
  requestStart(request: ClientRequest): Promise<void>;
  requestHeadersSent(request: ClientRequest): Promise<void>;
  requestChunkSent(request: ClientRequest, chunk: Uint8Array): Promise<void>;
  responseChunkReceived(method: string, url: URL, chunk: Uint8Array): Promise<void>;
  requestRedirect(request: ClientRequest, response: ClientResponse): Promise<void>;
  requestEnd(request: ClientRequest, response: ClientResponse): Promise<void>;
  requestException(request: ClientRequest, exception: unknown): Promise<void>;
}

const NOTHING: TraceNoParams = Object.freeze({});
const nothing = (): TraceNoParams => NOTHING;

class ConfiguredTrace<Context> implements Trace {
  readonly #config: TraceConfig<Context>;
  readonly #session: ClientSession;
  readonly #context: Context;

  constructor(config: TraceConfig<Context>, session: ClientSession, context: Context) {
    this.#config = config;
    this.#session = session;
    this.#context = context;
  }

  requestStart(request: ClientRequest): Promise<void> {
    return this.#send(this.#config.onRequestStart, () => paramsOf(request));
  }

  requestHeadersSent(request: ClientRequest): Promise<void> {
    return this.#send(this.#config.onRequestHeadersSent, () => paramsOf(request));
  }

  requestChunkSent({ method, url }: ClientRequest, chunk: Uint8Array): Promise<void> {
    return this.#send(this.#config.onRequestChunkSent, () => ({ method, url, chunk }));
  }

  responseChunkReceived(method: string, url: URL, chunk: Uint8Array): Promise<void> {
    return this.#send(this.#config.onResponseChunkReceived, () => ({ method, url, chunk }));
  }

  requestRedirect(request: ClientRequest, response: ClientResponse): Promise<void> {
    return this.#send(this.#config.onRequestRedirect, () => ({ ...paramsOf(request), response }));
  }

  requestEnd(request: ClientRequest, response: ClientResponse): Promise<void> {
    return this.#send(this.#config.onRequestEnd, () => ({ ...paramsOf(request), response }));
  }

  requestException(request: ClientRequest, exception: unknown): Promise<void> {
    return this.#send(this.#config.onRequestException, () => ({ ...paramsOf(request), exception }));
  }

  connectionQueuedStart(): Promise<void> {
    return this.#send(this.#config.onConnectionQueuedStart, nothing);
  }

  connectionQueuedEnd(): Promise<void> {
    return this.#send(this.#config.onConnectionQueuedEnd, nothing);
  }

  connectionCreateStart(): Promise<void> {
    return this.#send(this.#config.onConnectionCreateStart, nothing);
  }

  connectionCreateEnd(): Promise<void> {
    return this.#send(this.#config.onConnectionCreateEnd, nothing);
  }

  connectionReuseconn(): Promise<void> {
    return this.#send(this.#config.onConnectionReuseconn, nothing);
  }

  dnsResolvehostStart(host: string): Promise<void> {
    return this.#send(this.#config.onDnsResolvehostStart, () => ({ host }));
  }

  dnsResolvehostEnd(host: string): Promise<void> {
    return this.#send(this.#config.onDnsResolvehostEnd, () => ({ host }));
  }

  dnsCacheHit(host: string): Promise<void> {
    return this.#send(this.#config.onDnsCacheHit, () => ({ host }));
  }

  dnsCacheMiss(host: string): Promise<void> {
    return this.#send(this.#config.onDnsCacheMiss, () => ({ host }));
  }

  #send<Params>(signal: TraceSignal<Context, Params>, makeParams: () => Params): Promise<void> {
    return signal.send(this.#session, this.#context, makeParams);
  }
}

function paramsOf(request: ClientRequest): TraceRequestParams {
  return { method: request.method, url: request.url, headers: request.headers };
}

/** What the diagnostics channels are told: `response` and `error` when they are known. */
export interface RequestDiagnostics {
  readonly request: ClientRequest;
  response?: ClientResponse;
  error?: unknown;
}

/**
 * One span for each request that goes out, redirects and retries too (`node:diagnostics_channel`): `tracing:aiohttp-ts:client.request:start`, where
 * `request.headers` may still be changed, `end`, `asyncStart`, `asyncEnd` and `error`. Costs nothing without subscribers.
 */
export const requestChannel: ReturnType<typeof tracingChannel<object, RequestDiagnostics>> = tracingChannel<
  object,
  RequestDiagnostics
>('aiohttp-ts:client.request');
