/** How a statement is named on the wire. */
export interface StatementName {
  /** Empty for a statement that the server forgets with the next one. */
  readonly name: string;
  /** Whether the server must parse it first. */
  readonly parse: boolean;
}

/** What the server may forget: a prepared statement or a portal. */
export interface Dropped {
  readonly type: 'S' | 'P';
  readonly name: string;
}

/**
 * Which statements a connection's server has parsed. A text is parsed under a name when it is seen for the second time, so that texts which come
 * once leave nothing behind; what was not used for the longest time goes first.
 */
export class StatementCache {
  /** 0: nothing is kept on the server. */
  private readonly size: number;
  /** By text, the least recently used first; an empty name: seen once. */
  private readonly names: Map<string, string>;
  private dropped: Dropped[];
  private count: number;

  constructor(size: number) {
    this.size = size;
    this.names = new Map();
    this.dropped = [];
    this.count = 0;
  }

  use(text: string): StatementName {
    if (this.size === 0) return { name: '', parse: true };
    const known = this.names.get(text);
    const name = known === undefined ? '' : known || `aiohttp_${++this.count}`;
    this.names.delete(text);
    this.names.set(text, name);
    if (this.names.size > this.size) {
      const [oldest] = this.names.keys();
      this.drop(oldest!);
    }
    return { name, parse: name === '' || known === '' };
  }

  /** Forgets a text; the server is told with the next statement. */
  drop(text: string): void {
    const name = this.names.get(text);
    this.names.delete(text);
    if (name) this.dropped.push({ type: 'S', name });
  }

  /** Gives up a portal, whose rows were read or are not wanted; the server is told with the next statement. */
  dropPortal(name: string): void {
    this.dropped.push({ type: 'P', name });
  }

  /** What to close, once. Closing what the server does not know (any more) is no error (PostgreSQL §55.2.3). */
  takeDropped(): readonly Dropped[] {
    const { dropped } = this;
    if (dropped.length > 0) this.dropped = [];
    return dropped;
  }
}
