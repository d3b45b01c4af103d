import type { ConnectionOptions, PeerCertificate, SecureContext } from 'node:tls';

/** TLS settings of a client connection, named as in `node:tls`. Whatever is not given keeps Node's default. */
export interface ClientTlsOptions {
  /** Certificate authorities to trust instead of the well-known ones, PEM. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** The client's own certificate chain, PEM. */
  readonly cert?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** Private key to `cert`, PEM. */
  readonly key?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** Certificate and key in one (PKCS #12). */
  readonly pfx?: string | Buffer | undefined;
  /** Of `key` or `pfx`. */
  readonly passphrase?: string | undefined;
  readonly crl?: string | Buffer | readonly (string | Buffer)[] | undefined;
  readonly ciphers?: string | undefined;
  readonly ecdhCurve?: string | undefined;
  readonly sigalgs?: string | undefined;
  readonly minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly maxVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** Made once by `tls.createSecureContext`, instead of the options above. */
  readonly secureContext?: SecureContext | undefined;
  /** Name for SNI and the certificate's check, when it is not the host. */
  readonly servername?: string | undefined;
  /** `false` accepts any certificate. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Checks the name in the certificate; returns what is wrong. */
  readonly checkServerIdentity?:
    | ((hostname: string, certificate: PeerCertificate) => Error | undefined)
    | undefined;
}

const NAMES: readonly (keyof ClientTlsOptions)[] = [
  'ca',
  'cert',
  'key',
  'pfx',
  'passphrase',
  'crl',
  'ciphers',
  'ecdhCurve',
  'sigalgs',
  'minVersion',
  'maxVersion',
  'secureContext',
  'servername',
  'rejectUnauthorized',
  'checkServerIdentity',
];

/** Only HTTP/1.1 is spoken on these connections, and the server is told so (RFC 7301). */
const ALPN = ['http/1.1'];

/**
 * What `tls.connect` is told: the own properties of `options` that are known here, the name to ask for, and ALPN.
 *
 * @param host whom the connection is for: a name, with or without a dot at its end, or an IP address
 */
export function tlsConnectOptions(host: string, options: ClientTlsOptions): ConnectionOptions {
  const result: Record<string, unknown> = { ALPNProtocols: ALPN };
  for (const name of NAMES) {
    if (Object.hasOwn(options, name) && options[name] !== undefined) result[name] = options[name];
  }
  // A name that ends with a dot is the same name, but no certificate and no SNI has it so (RFC 6066 §3).
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  result['host'] = name;
  if (result['servername'] === undefined && !isAddress(name)) result['servername'] = name;
  return result;
}

/** SNI never holds an address (RFC 6066 §3). */
function isAddress(host: string): boolean {
  return host.includes(':') || /^[0-9.]+$/.test(host);
}
