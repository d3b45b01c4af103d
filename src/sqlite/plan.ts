import { ProgrammingError } from '../sql/index.ts';
import { scan, type Token } from './tokens.ts';

/** What running a statement means for transactions. */
export type PlanKind =
  | 'read'
  | 'write'
  | 'schema'
  | 'pragma'
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  /** ATTACH, DETACH, CREATE TEMP: what it makes exists on one connection only. */
  | 'local'
  /** VACUUM, REINDEX, ANALYZE. */
  | 'other';

/** What is known about a statement before it runs. */
export interface Plan {
  readonly text: string;
  readonly kind: PlanKind;
  /** Whether it gives rows. */
  readonly rows: boolean;
  /** Whether it has a `*` for columns: their names may change with the schema. */
  readonly star: boolean;
  /** Whether it belongs on the writer although it only reads: it asks for something that only that connection knows. */
  readonly onWriter: boolean;
  /** Whether it changes rows, so that their number means something. */
  readonly changes: boolean;
  readonly inserts: boolean;
  /** Full names of its named placeholders, `:id`. */
  readonly names: readonly string[];
  /** How many positional values it takes. */
  readonly count: number;
  /** Whether its positional placeholders have numbers, `?2`. */
  readonly numbered: boolean;
}

const verbs = new Set(['SELECT', 'VALUES', 'INSERT', 'REPLACE', 'UPDATE', 'DELETE']);
/** Functions whose value belongs to the connection that wrote. */
const writersOwn = new Set(['LAST_INSERT_ROWID', 'CHANGES', 'TOTAL_CHANGES']);

function refuse(message: string, statement: string): ProgrammingError {
  return new ProgrammingError(message, { statement });
}

/**
 * Looks at a statement: which connection it belongs on, and which values it takes. SQLite does not tell through its JavaScript drivers; a statement that
 * is taken for a read by mistake meets a connection that refuses to write, and is then run on the writer.
 */
export function planOf(text: string): Plan {
  const tokens = scan(text);
  const start = tokens.findIndex(({ type }) => type !== 'end');
  if (start === -1) throw refuse('the statement is empty', text);
  const end = endOfStatement(tokens, start);
  if (tokens.slice(end).some(({ type }) => type !== 'end')) {
    throw refuse('execute runs one statement at a time, got several: use executescript', text);
  }
  const words = tokens.slice(start, end);
  const verb = mainVerb(words);
  const returning = words.some(({ word, depth }) => word === 'RETURNING' && depth === 0);
  const kind = kindOf(words, verb);
  return {
    text,
    kind,
    rows: kind === 'read' || kind === 'pragma' || returning,
    star: words.some(isStar),
    onWriter: words.some(({ word }) => word !== undefined && writersOwn.has(word)),
    changes: kind === 'write',
    inserts: verb === 'INSERT' || verb === 'REPLACE',
    ...placeholders(words, text),
  };
}

function kindOf(words: readonly Token[], verb: string): PlanKind {
  switch (verb) {
    case 'SELECT':
    case 'VALUES':
    case 'EXPLAIN':
      return 'read';
    case 'INSERT':
    case 'REPLACE':
    case 'UPDATE':
    case 'DELETE':
      return 'write';
    case 'CREATE':
      return words[1]?.word === 'TEMP' || words[1]?.word === 'TEMPORARY' ? 'local' : 'schema';
    case 'DROP':
    case 'ALTER':
      return 'schema';
    case 'PRAGMA':
      return 'pragma';
    case 'BEGIN':
      return 'begin';
    case 'COMMIT':
    case 'END':
      return 'commit';
    case 'ROLLBACK':
      return words.some(({ word }) => word === 'TO') ? 'savepoint' : 'rollback';
    case 'SAVEPOINT':
    case 'RELEASE':
      return 'savepoint';
    case 'ATTACH':
    case 'DETACH':
      return 'local';
    default:
      return 'other';
  }
}

function mainVerb(words: readonly Token[]): string {
  const first = words[0]!.word ?? '';
  if (first !== 'WITH') return first;
  return words.find(({ word, depth }) => depth === 0 && word !== undefined && verbs.has(word))?.word ?? first;
}

/** A `*` that stands where a column stands, and is not a multiplication or `count(*)`. */
function isStar(token: Token, index: number, all: readonly Token[]): boolean {
  if (token.text !== '*') return false;
  const before = all[index - 1];
  return (
    before === undefined ||
    before.text === ',' ||
    before.text === '.' ||
    (before.word !== undefined && ['SELECT', 'DISTINCT', 'ALL', 'RETURNING'].includes(before.word))
  );
}

function placeholders(
  words: readonly Token[],
  statement: string,
): { names: readonly string[]; count: number; numbered: boolean } {
  const names = new Set<string>();
  let count = 0;
  let bare = false;
  let numbered = false;
  for (const { type, text } of words) {
    if (type !== 'placeholder') continue;
    if (text === '?') {
      count++;
      bare = true;
    } else if (text.startsWith('?')) {
      count = Math.max(count, Number(text.slice(1)));
      numbered = true;
    } else names.add(text);
  }
  if (names.size > 0 && count > 0) throw refuse('placeholders have names, or none of them has', statement);
  if (bare && numbered) throw refuse('placeholders have numbers (?1), or none of them has', statement);
  return { names: [...names], count, numbered };
}

/** Where the statement that begins at `start` ends: the index of its semicolon, or the end. A trigger has semicolons inside. */
function endOfStatement(tokens: readonly Token[], start: number): number {
  const trigger =
    tokens[start]?.word === 'CREATE' &&
    (tokens[start + 1]?.word === 'TRIGGER' ||
      (['TEMP', 'TEMPORARY'].includes(tokens[start + 1]?.word ?? '') &&
        tokens[start + 2]?.word === 'TRIGGER'));
  for (let index = start; index < tokens.length; index++) {
    if (tokens[index]!.type !== 'end') continue;
    if (!trigger || (tokens[index - 1]?.word === 'END' && tokens[index - 2]?.type === 'end')) return index;
  }
  return tokens.length;
}

/** The statements of a script, each by its own text. */
export function statementsOf(script: string): readonly string[] {
  const tokens = scan(script);
  const found: string[] = [];
  for (let start = 0; start < tokens.length; ) {
    if (tokens[start]!.type === 'end') {
      start++;
      continue;
    }
    const end = endOfStatement(tokens, start);
    found.push(script.slice(tokens[start]!.at, tokens[end]?.at ?? script.length).trimEnd());
    start = end + 1;
  }
  return found;
}

/** Plans of the statements that ran lately. */
export class Plans {
  private readonly limit: number;
  private readonly plans: Map<string, Plan>;

  constructor(limit: number) {
    this.limit = limit;
    this.plans = new Map();
  }

  of(text: string): Plan {
    const known = this.plans.get(text);
    if (known !== undefined) return known;
    const plan = planOf(text);
    // The oldest goes: statements that run often come back at once, and planning one costs microseconds.
    if (this.plans.size >= this.limit) this.plans.delete(this.plans.keys().next().value!);
    this.plans.set(text, plan);
    return plan;
  }
}
