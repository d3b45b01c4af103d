import { corsRangeError } from './errors.ts';
import { type CheckedOptions, checkOptions, type OriginOptions } from './resource-options.ts';

/** What is answered to an origin. */
export interface Admission {
  readonly options: CheckedOptions;
  /** Value of `Access-Control-Allow-Origin`: the origin itself, or `*`. */
  readonly allowOrigin: string;
}

/** `https://*.example.com` as it is compared: begins with the one and ends with the other, with a name between them. */
interface Pattern {
  readonly scheme: string;
  readonly suffix: string;
  readonly options: CheckedOptions;
}

const SERIALISED = /^[a-z][a-z\d+.-]*:\/\/(?:[a-z\d_-]+(?:\.[a-z\d_-]+)*\.?|\[[\da-f:.]+\])(?::\d{1,5})?$/;
const LABELS = /^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/;

/** The origins that a resource is open for. An origin is compared as browsers send it: never by its beginning, nor by its end alone. */
export class Origins {
  readonly #exact = new Map<string, CheckedOptions>();
  readonly #patterns: Pattern[] = [];
  #others: Admission | undefined;

  /** @throws RangeError `AIO_CORS_OPTIONS` for what no browser would send as an origin */
  constructor(config: OriginOptions) {
    for (const [origin, given] of Object.entries(config)) {
      const options = checkOptions(origin, given);
      if (origin === '*') this.#others = { options, allowOrigin: '*' };
      else if (origin === 'null') this.#exact.set(origin, options);
      else if (origin.includes('*')) this.#patterns.push(patternOf(origin, options));
      else {
        mustBeOrigin(origin, origin);
        this.#exact.set(origin, options);
      }
    }
  }

  /** Whether every answer is the same, whoever asks. */
  get uniform(): boolean {
    return this.#exact.size === 0 && this.#patterns.length === 0;
  }

  /** What is answered to requests without an origin: only where that is the same for all. */
  get forAll(): Admission | undefined {
    return this.uniform ? this.#others : undefined;
  }

  admit(origin: string): Admission | undefined {
    const exact = this.#exact.get(origin);
    if (exact !== undefined) return { options: exact, allowOrigin: origin };
    for (const { scheme, suffix, options } of this.#patterns) {
      if (!origin.startsWith(scheme) || !origin.endsWith(suffix)) continue;
      if (LABELS.test(origin.slice(scheme.length, -suffix.length))) return { options, allowOrigin: origin };
    }
    return this.#others;
  }
}

function patternOf(origin: string, options: CheckedOptions): Pattern {
  const [before = '', after = ''] = origin.split('*');
  if (!before.endsWith('://') || !after.startsWith('.') || origin.split('*').length !== 2) {
    throw corsRangeError(
      `'${origin}' cannot be an origin: a * may stand alone or for sub-domains, as in 'https://*.example.com'.`,
    );
  }
  mustBeOrigin(`${before}x${after}`, origin);
  return { scheme: before, suffix: after, options };
}

function mustBeOrigin(text: string, given: string): void {
  if (SERIALISED.test(text) && !/^(?:http:.*:80|https:.*:443)$/.test(text)) return;
  throw corsRangeError(
    `'${given}' is not an origin as browsers send it: scheme, host in lower case (IDNA), and the port unless it is the usual one, as in 'https://app.example:8443'; no path.`,
  );
}
