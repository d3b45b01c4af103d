import { unquoteString } from '../message/index.ts';

/** One challenge of a WWW-Authenticate field (RFC 9110 §11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case, values unquoted; the first of a name counts. */
  readonly params: ReadonlyMap<string, string>;
}

// Sticky alternatives that cannot overlap: linear whatever comes.
const PARAMETER =
  /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[!#$%&'*+\-.^_`|~0-9A-Za-z/:]+)[ \t]*(?=,|$)/y;
const SCHEME = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]+|[ \t]*(?=,|$))/y;
const SEPARATORS = /[ \t,]*/y;
const TO_COMMA = /[^,"]*(?:"(?:[^"\\]|\\.)*"?[^,"]*)*/y;
const MAX_CHALLENGES = 32;

/**
 * The challenges of WWW-Authenticate or Proxy-Authenticate, several fields or several challenges in one alike: commas separate both the
 * challenges and their parameters. What is neither is passed over. Never throws.
 */
export function parseChallenges(fields: readonly string[]): Challenge[] {
  const challenges: Challenge[] = [];
  for (const field of fields) {
    let params: Map<string, string> | undefined;
    let position = skip(SEPARATORS, field, 0);
    while (position < field.length && challenges.length <= MAX_CHALLENGES) {
      PARAMETER.lastIndex = position;
      const parameter = params === undefined ? null : PARAMETER.exec(field);
      if (parameter !== null) {
        const [, name = '', value = ''] = parameter;
        const key = name.toLowerCase();
        if (!params!.has(key)) params!.set(key, unquoteString(value) ?? value);
        position = PARAMETER.lastIndex;
      } else {
        SCHEME.lastIndex = position;
        const scheme = SCHEME.exec(field)?.[1];
        if (scheme === undefined) {
          position = Math.max(skip(TO_COMMA, field, position), position + 1);
        } else {
          position = SCHEME.lastIndex;
          params = new Map();
          challenges.push({ scheme: scheme.toLowerCase(), params });
        }
      }
      position = skip(SEPARATORS, field, position);
    }
  }
  return challenges;
}

function skip(pattern: RegExp, text: string, position: number): number {
  pattern.lastIndex = position;
  pattern.exec(text);
  return Math.max(pattern.lastIndex, position);
}
