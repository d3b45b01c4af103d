import type { TLSSocket } from 'node:tls';
import type { ClientTlsOptions } from '../net/index.ts';
import type { ConnectionKey, SSLOption } from './connection-key.ts';
import {
  ClientConnectorCertificateError,
  ClientConnectorError,
  ClientConnectorSSLError,
  ServerFingerprintMismatch,
} from './errors.ts';
import { digestOf, Fingerprint } from './fingerprint.ts';

const UNVERIFIED: ClientTlsOptions = Object.freeze({ rejectUnauthorized: false });
const USUAL: ClientTlsOptions = Object.freeze({});

/** The TLS options that an `ssl` option stands for. A pinned certificate is checked by its pin alone. */
export function settingsFor(ssl: SSLOption): ClientTlsOptions {
  if (ssl === true) return USUAL;
  if (ssl === false || ssl instanceof Fingerprint) return UNVERIFIED;
  return ssl;
}

/** @throws ServerFingerprintMismatch when the certificate is another one than was pinned; the socket is destroyed then */
export function checkFingerprint(socket: TLSSocket, key: ConnectionKey, ssl: SSLOption = key.ssl): void {
  const { host, port } = key;
  if (!(ssl instanceof Fingerprint)) return;
  const certificate = socket.getPeerX509Certificate()?.raw;
  if (certificate !== undefined && ssl.matches(certificate)) return;
  socket.destroy();
  const got = certificate === undefined ? new Uint8Array(0) : digestOf(certificate);
  throw new ServerFingerprintMismatch(ssl.digest, got, host, port);
}

/** What the users catch when a TLS handshake failed. */
export function tlsFailure(key: ConnectionKey, socket: TLSSocket, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ServerFingerprintMismatch) return error;
  const { code = '' } = error as NodeJS.ErrnoException;
  if (socket.authorizationError) return new ClientConnectorCertificateError(key, error);
  if (/^ERR_(?:SSL|TLS|OSSL)|^EPROTO$/.test(code)) return new ClientConnectorSSLError(key, error);
  return /^E[A-Z]+$/.test(code) ? new ClientConnectorError(key, error) : error;
}
