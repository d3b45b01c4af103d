import type { CharSet } from './char-set.ts';
import { SEGMENT } from './char-set.ts';
import type { ParamToken, PathPattern, PatternToken } from './path-pattern.ts';
import { badPattern } from './path-pattern.ts';
import { findDanger } from './regex-safety.ts';
import type { RegexNode } from './regex-syntax.ts';
import { literalNode, regexSource } from './regex-syntax.ts';

/**
 * What the router does for one piece of a pattern. Each step either fails at a position of the path or goes on from exactly one other
 * position, so that resources can share steps in a tree and nothing is tried twice.
 */
export type Step =
  /** This text. */
  | { readonly type: 'literal'; readonly text: string }
  /** One parameter: the longest run of the set. What follows begins with another character, so a shorter run could not do. */
  | {
      readonly type: 'run';
      readonly key: string;
      readonly set: CharSet;
      readonly min: number;
      readonly max: number;
    }
  /**
   * Parameters `{name}` with texts between and after them, up to the end of the segment: `{name}.{type}` has `['.', '']`. Matched from the right,
   * which gives the first parameter the most, as a greedy expression would, in linear time.
   */
  | { readonly type: 'pieces'; readonly key: string; readonly separators: readonly string[] }
  /** Parameters by a regular expression, up to the end of the segment or of the path. */
  | { readonly type: 'regex'; readonly key: string; readonly regex: RegExp; readonly captures: number };

/**
 * The steps of a pattern, the cheapest that can do it: runs of a class need no regular expression.
 *
 * @throws RangeError `AIO_ROUTE_REGEX` when an expression could make matching slow; the message says which part and what to write
 */
export function stepsOf(pattern: PathPattern): readonly Step[] {
  const steps: Step[] = [];
  const tokens = [...pattern.tokens];
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (token.type === 'literal') {
      steps.push({ type: 'literal', text: token.text });
      continue;
    }
    const run = asRun(token.node);
    if (run !== undefined && endsRun(tokens[0], run.set)) {
      const key = `${run.min}-${run.max}:${run.set.key}`;
      steps.push({ type: 'run', key, set: run.set, min: run.min, max: run.max });
      continue;
    }
    const segment = takeSegment(token, tokens);
    const staysInSegment = segment.every((part) => part.type === 'literal' || !mayMatch(part.node, 0x2f));
    if (segment.every((part) => part.type === 'literal' || part.regex === undefined)) {
      steps.push(piecesStep(segment));
    } else if (staysInSegment) {
      steps.push(regexStep(segment, '(?=\\/|$)', pattern));
    } else {
      steps.push(regexStep([...segment, ...tokens.splice(0)], '$', pattern));
    }
  }
  return steps;
}

type Run = { readonly set: CharSet; readonly min: number; readonly max: number };

/** A parameter that is one class, perhaps repeated. */
function asRun(node: RegexNode): Run | undefined {
  if (node.type === 'set') return node.set.exact ? { set: node.set, min: 1, max: 1 } : undefined;
  if (node.type !== 'repeat' || node.body.type !== 'set' || !node.body.set.exact) return undefined;
  return { set: node.body.set, min: node.min, max: node.max };
}

function endsRun(next: PatternToken | undefined, set: CharSet): boolean {
  return next === undefined || (next.type === 'literal' && !set.has(next.text.codePointAt(0)!));
}

/** Takes from `rest` what follows `first` up to the end of the segment; a literal that holds a `/` is cut before it. */
function takeSegment(first: ParamToken, rest: PatternToken[]): PatternToken[] {
  const segment: PatternToken[] = [first];
  for (let token = rest[0]; token !== undefined; token = rest[0]) {
    const slash = token.type === 'literal' ? token.text.indexOf('/') : -1;
    if (slash === 0) break;
    rest.shift();
    if (token.type === 'literal' && slash > 0) {
      segment.push({ type: 'literal', text: token.text.slice(0, slash) });
      rest.unshift({ type: 'literal', text: token.text.slice(slash) });
      break;
    }
    segment.push(token);
  }
  return segment;
}

function mayMatch(node: RegexNode, code: number): boolean {
  switch (node.type) {
    case 'set':
      return node.set.has(code);
    case 'sequence':
      return node.items.some((item) => mayMatch(item, code));
    case 'choice':
      return node.options.some((option) => mayMatch(option, code));
    case 'repeat':
      return mayMatch(node.body, code);
  }
}

function piecesStep(segment: readonly PatternToken[]): Step {
  const separators: string[] = [];
  for (const token of segment) {
    if (token.type === 'param') separators.push('');
    else separators[separators.length - 1] = token.text;
  }
  return { type: 'pieces', key: `pieces:${JSON.stringify(separators)}`, separators };
}

function regexStep(parts: readonly PatternToken[], end: string, pattern: PathPattern): Step {
  const nodes = parts.map((part) => (part.type === 'literal' ? literalNode(part.text) : part.node));
  const danger = findDanger({ type: 'sequence', text: pattern.text, items: nodes });
  if (danger !== undefined) throw dangerError(parts, pattern, danger.problem);
  const source = parts.map((part, index) =>
    part.type === 'literal' ? regexSource(nodes[index]!) : `(${regexSource(nodes[index]!)})`,
  );
  // `d`: where the parameters are; `u`: by code points; `y`: from where the router stands.
  const regex = new RegExp(`${source.join('')}${end}`, 'duy');
  return {
    type: 'regex',
    key: regex.source,
    regex,
    captures: parts.filter((part) => part.type === 'param').length,
  };
}

function dangerError(parts: readonly PatternToken[], pattern: PathPattern, problem: string): RangeError {
  const params = parts.filter((part) => part.type === 'param');
  const alone = params.find((param) => findDanger(param.node) !== undefined);
  const culprit = alone ?? params.find((param) => param.regex !== undefined) ?? params[0]!;
  if (alone === undefined) return badPattern(culprit.regex ?? '', culprit.name, pattern.text, problem);
  return badPattern(alone.regex ?? '', alone.name, pattern.text, findDanger(alone.node)!.problem);
}

/** Whether the steps end with a parameter that takes all the rest of a path, even nothing: `{tail:.*}`. */
export function takesAll(step: Step | undefined): boolean {
  return (
    step?.type === 'run' && step.set.universal && step.min === 0 && step.max === Number.POSITIVE_INFINITY
  );
}

/** Whether this is the run of `{name}`. */
export function isSegmentRun(step: Step): boolean {
  return (
    step.type === 'run' && step.set.equals(SEGMENT) && step.min === 1 && step.max === Number.POSITIVE_INFINITY
  );
}
