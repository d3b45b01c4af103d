/** Bytes of unread messages from which on nothing more is read from the socket. */
const FULL = 131_072;
/** Reading goes on when fewer are left. */
const LOW = 65_536;
/** What an unread message costs beside its data: a flood of empty ones is bounded too. */
const OVERHEAD = 64;

/** The messages that came and were not received yet, in order. */
export class Inbox<Item extends { readonly data: unknown }> {
  length: number;
  private items: (Item | undefined)[];
  private first: number;
  private size: number;

  constructor() {
    this.length = 0;
    this.items = [];
    this.first = 0;
    this.size = 0;
  }

  /** No more should be put in. */
  get isFull(): boolean {
    return this.size >= FULL;
  }

  /** There is room again. */
  get isLow(): boolean {
    return this.size < LOW;
  }

  push(item: Item): void {
    this.items.push(item);
    this.length++;
    this.size += sizeOf(item);
  }

  shift(): Item | undefined {
    const item = this.items[this.first];
    if (item === undefined) return undefined;
    this.items[this.first++] = undefined;
    this.length--;
    this.size -= sizeOf(item);
    if (this.length === 0) this.clear();
    return item;
  }

  clear(): void {
    this.length = 0;
    this.items = [];
    this.first = 0;
    this.size = 0;
  }
}

function sizeOf({ data }: { readonly data: unknown }): number {
  return OVERHEAD + (typeof data === 'string' || data instanceof Uint8Array ? data.length : 0);
}
