import * as web from 'aiohttp-ts/web';

/** What the page is told. */
export type Event =
  | { readonly kind: 'joined' | 'left'; readonly name: string; readonly people: readonly string[] }
  | { readonly kind: 'said'; readonly name: string; readonly text: string };

/** What was said before somebody came, as far as it is kept. */
const KEPT = 50;

/** Everybody who is here, and what is said. */
export class Room {
  private readonly members = new Map<web.WebSocketResponse, string>();
  private readonly said: Event[] = [];

  get people(): string[] {
    return [...this.members.values()];
  }

  join(ws: web.WebSocketResponse, name: string): void {
    for (const event of this.said) send(ws, event);
    this.members.set(ws, name);
    this.tell({ kind: 'joined', name, people: this.people });
  }

  say(ws: web.WebSocketResponse, text: string): void {
    const name = this.members.get(ws);
    if (name === undefined) return;
    const event: Event = { kind: 'said', name, text };
    this.said.push(event);
    if (this.said.length > KEPT) this.said.shift();
    this.tell(event);
  }

  leave(ws: web.WebSocketResponse): void {
    const name = this.members.get(ws);
    if (name === undefined) return;
    this.members.delete(ws);
    this.tell({ kind: 'left', name, people: this.people });
  }

  /** Sends everybody home. */
  async close(): Promise<void> {
    const reason = { code: web.WSCloseCode.GOING_AWAY, message: 'The server goes down' };
    await Promise.all([...this.members.keys()].map((ws) => ws.close(reason)));
  }

  private tell(event: Event): void {
    for (const ws of this.members.keys()) send(ws, event);
  }
}

/** Nobody waits: one slow reader must not hold up the others, and one that left is told so by its own handler. */
function send(ws: web.WebSocketResponse, event: Event): void {
  void ws.sendJson(event);
}
