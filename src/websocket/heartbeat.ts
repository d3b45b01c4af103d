import { outside, time } from '../asyncio/index.ts';

/** Whose heart it is. */
export interface HeartbeatOwner {
  /** Nothing is read at the moment, because nobody receives what came: that the peer is silent says nothing. */
  readonly inputHeld: boolean;
  sendPing(): void;
  /** The peer did not answer in time. */
  pongMissed(): void;
}

/**
 * Pings a peer that was silent for `interval` milliseconds. Whatever it sends within half of that shows that it lives; else it is given up. One timer,
 * which is not touched when something comes.
 */
export class Heartbeat {
  private readonly interval: number;
  private readonly owner: HeartbeatOwner;
  private timer: NodeJS.Timeout | undefined;
  private lastSeen: number;
  private awaitsPong: boolean;
  private stopped: boolean;

  constructor(interval: number, owner: HeartbeatOwner) {
    this.interval = interval;
    this.owner = owner;
    this.timer = undefined;
    this.lastSeen = time();
    this.awaitsPong = false;
    this.stopped = false;
    this.arm(interval);
  }

  /** Something came from the peer. */
  seen(): void {
    this.lastSeen = time();
    this.awaitsPong = false;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.stopped = true;
  }

  private arm(delay: number): void {
    this.timer = outside(() => setTimeout(beat, delay, this));
  }

  /** @internal */
  beat(): void {
    if (this.owner.inputHeld) this.seen();
    if (this.awaitsPong) {
      // The pong may lie in the socket, unread, because this process itself was busy for long: one more look.
      outside(() => setImmediate(lastLook, this));
      return;
    }
    const left = this.lastSeen + this.interval - time();
    if (left > 0) {
      this.arm(left);
      return;
    }
    this.awaitsPong = true;
    this.arm(this.interval / 2);
    this.owner.sendPing();
  }

  /** @internal */
  lastLook(): void {
    if (this.stopped) return;
    if (this.awaitsPong) this.owner.pongMissed();
    else this.beat();
  }
}

function lastLook(heartbeat: Heartbeat): void {
  heartbeat.lastLook();
}

function beat(heartbeat: Heartbeat): void {
  heartbeat.beat();
}
