import { splitList, trimWhitespace } from './grammar.ts';

/** One element of an Accept, Accept-Encoding or Accept-Language field and its weight (RFC 9110 §12.4.2). */
export interface QualityValue {
  /** In lower case; parameters that belong to it included: `text/html;level=1`. */
  readonly value: string;
  /** 0 (never) to 1. */
  readonly quality: number;
}

// weight = OWS ";" OWS "q=" qvalue, without the first OWS: looking for it anywhere would take quadratic time. What follows the weight (accept-ext of
// RFC 7231) has no meaning any more.
const WEIGHT = /;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*(?:;|$)/i;
const ANY_WEIGHT = /;[ \t]*q=/i;

/**
 * Elements of a field with weights, the preferred ones first and those of equal weight as they came. One without a weight has 1;
 * one whose weight is malformed is left out. Never throws; linear.
 *
 * @example
 * ```ts
 * parseQualityValues('gzip;q=0.5, br'); // [{ value: 'br', quality: 1 }, { value: 'gzip', quality: 0.5 }]
 * parseQualityValues('de;q=2'); // []
 * ```
 */
export function parseQualityValues(header: string): QualityValue[] {
  const values: QualityValue[] = [];
  let sorted = true;
  for (const element of splitList(header)) {
    const weight = element.includes(';') ? WEIGHT.exec(element) : null;
    if (weight === null && ANY_WEIGHT.test(element)) continue;
    const end = weight === null ? element.length : weight.index;
    const value = trimWhitespace(element, 0, end).toLowerCase();
    if (value === '') continue;
    const quality = weight === null ? 1 : Number(weight[1]);
    if (values.length > 0 && values[values.length - 1]!.quality < quality) sorted = false;
    values.push({ value, quality });
  }
  return sorted ? values : values.sort((a, b) => b.quality - a.quality);
}

/**
 * The content coding to answer with, chosen among those that are available; `undefined` means none: the content goes as it is. That is
 * also the answer when the client refuses everything, `identity` included, as RFC 9110 §12.5.3 advises.
 *
 * Among codings of equal weight the first available one is taken; content as it is only wins where the client gave `identity` a
 * greater weight. `x-gzip` is `gzip`. Never throws; linear.
 *
 * An answer that was chosen like this needs `Vary: Accept-Encoding`, also when the choice was none.
 *
 * @param header Accept-Encoding; without the field no coding is used.
 * @param available In lower case, the preferred one first.
 * @example
 * ```ts
 * negotiateEncoding('gzip, deflate, br, zstd', ['br', 'gzip']); // 'br'
 * negotiateEncoding('gzip, br;q=0.5', ['br', 'gzip']); // 'gzip'
 * negotiateEncoding('gzip;q=0, *', ['gzip']); // undefined
 * ```
 */
export function negotiateEncoding(
  header: string | undefined,
  available: readonly string[],
): string | undefined {
  if (header === undefined || header === '' || available.length === 0) return undefined;
  const values = parseQualityValues(header);
  const others = qualityOf(values, '*') ?? 0;
  let best: string | undefined;
  let bestQuality = 0;
  for (const coding of available) {
    const quality =
      qualityOf(values, coding) ?? (coding === 'gzip' ? qualityOf(values, 'x-gzip') : undefined) ?? others;
    if (quality <= bestQuality) continue;
    best = coding;
    bestQuality = quality;
  }
  return (qualityOf(values, 'identity') ?? 0) > bestQuality ? undefined : best;
}

/** The weight of an element; the greatest when it is listed twice. */
function qualityOf(values: readonly QualityValue[], wanted: string): number | undefined {
  for (const { value, quality } of values) if (value === wanted) return quality;
  return undefined;
}
