import { type Changes, checked, textOf, type Update } from './changes.ts';

/** What a session holds, and what this request has changed of it: also inside of objects that it handed out. */
export class SessionValues {
  readonly data: Map<string, unknown>;
  /** The JSON of what was under a key before this request touched it; `undefined`: nothing was. */
  private readonly before: Map<string, string | undefined>;
  /** For keys that were only changed by `update` so far: the functions, and the text they led to. */
  private readonly updates: Map<string, { readonly functions: Update[]; text: string | undefined }>;

  constructor(data: ReadonlyMap<string, unknown>) {
    this.data = new Map(data);
    this.before = new Map();
    this.updates = new Map();
  }

  /** The caller may change the inside of an object that it gets: it is compared when the session is saved. */
  get(key: string): unknown {
    const value = this.data.get(key);
    if (typeof value === 'object' && value !== null && !this.before.has(key)) {
      this.before.set(key, JSON.stringify(value));
    }
    return value;
  }

  set(key: string, value: unknown): void {
    checked(key, value);
    this.touch(key);
    this.updates.delete(key);
    this.data.set(key, value);
  }

  delete(key: string): boolean {
    this.touch(key);
    this.updates.delete(key);
    return this.data.delete(key);
  }

  update(key: string, compute: Update): unknown {
    this.touch(key);
    const old = this.data.get(key);
    const oldText = old === undefined ? undefined : textOf(key, old);
    const known = this.updates.get(key);
    // On top of what this request has set itself, the result is simply what it sets.
    const relative = oldText === (known === undefined ? this.before.get(key) : known.text);
    const value = checked(key, compute(old));
    if (value === undefined) this.data.delete(key);
    else this.data.set(key, value);
    if (relative) {
      const functions = known?.functions ?? [];
      functions.push(compute);
      this.updates.set(key, { functions, text: value === undefined ? undefined : textOf(key, value) });
    } else {
      this.updates.delete(key);
    }
    return value;
  }

  /** What is different from what was read. */
  changes(): Pick<Changes, 'set' | 'removed' | 'updates'> {
    const set = new Map<string, unknown>();
    const removed = new Set<string>();
    const updates = new Map<string, readonly Update[]>();
    for (const [key, before] of this.before) {
      const value = this.data.get(key);
      const text = value === undefined ? undefined : textOf(key, value);
      const update = this.updates.get(key);
      // What was changed inside of the result of an update cannot be done again: it is set.
      if (update !== undefined && update.text === text) updates.set(key, update.functions);
      else if (text === before) continue;
      else if (text === undefined) removed.add(key);
      else set.set(key, value);
    }
    return { set, removed, updates };
  }

  /** What was saved is what further changes are told from. Objects that the handler has in its hands stay the ones that are compared. */
  saved(record: ReadonlyMap<string, unknown>): void {
    for (const [key, value] of record) {
      const own = this.data.get(key);
      if (own === undefined || textOf(key, own) !== textOf(key, value)) this.data.set(key, value);
    }
    for (const key of [...this.data.keys()]) if (!record.has(key)) this.data.delete(key);
    for (const key of [...this.before.keys()]) {
      const value = this.data.get(key);
      if (typeof value === 'object' && value !== null) this.before.set(key, textOf(key, value));
      else this.before.delete(key);
    }
    this.updates.clear();
  }

  /** Begins anew, with nothing. */
  restart(): void {
    this.data.clear();
    this.before.clear();
    this.updates.clear();
  }

  /** Remembers what was under a key before it changes. */
  private touch(key: string): void {
    if (this.before.has(key)) return;
    const value = this.data.get(key);
    this.before.set(key, value === undefined ? undefined : textOf(key, value));
  }
}
