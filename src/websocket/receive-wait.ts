import { outside, suspend, TimeoutError } from '../asyncio/index.ts';
import { checkNumber } from './channel-options.ts';

/** Node's timers take a longer time for 1 ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The one wait for the next message that a channel may have. What it needs is made once, not for each message. */
export class ReceiveWait<Message> {
  /** Somebody waits. */
  active: boolean;
  private resolve: ((message: Message) => void) | undefined;
  private reject: ((error: unknown) => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private signal: AbortSignal | undefined;
  private readonly arm: (resolve: (message: Message) => void, reject: (error: unknown) => void) => () => void;
  private readonly disarm: () => void;

  constructor() {
    this.active = false;
    this.resolve = undefined;
    this.reject = undefined;
    this.timer = undefined;
    this.signal = undefined;
    this.disarm = () => this.end();
    this.arm = (resolve, reject) => {
      this.active = true;
      this.resolve = resolve;
      this.reject = reject;
      return this.disarm;
    };
  }

  /**
   * Waits for the next message.
   *
   * @param timeout - milliseconds; `undefined`: for ever
   * @throws RangeError `AIO_WS_OPTION`; TimeoutError; the reason of the signal; CancelledError
   */
  begin(timeout: number | undefined, signal: AbortSignal | undefined): Promise<Message> {
    if (timeout === undefined && signal === undefined) return suspend(this.arm, 'a WebSocket message');
    return this.beginWithin(timeout, signal);
  }

  /** Ends the wait with a message. */
  deliver(message: Message): void {
    const { resolve } = this;
    this.end();
    resolve!(message);
  }

  /** @internal The signal was aborted. */
  handleEvent(): void {
    this.fail(this.signal?.reason);
  }

  /** @internal */
  fail(error: unknown): void {
    const { reject } = this;
    this.end();
    reject?.(error);
  }

  private beginWithin(timeout: number | undefined, signal: AbortSignal | undefined): Promise<Message> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    try {
      if (timeout !== undefined) checkNumber('The timeout of receive()', timeout, 'milliseconds');
    } catch (error) {
      return Promise.reject(error);
    }
    const wait = suspend(this.arm, 'a WebSocket message');
    // A task that is to end does not even begin to wait.
    if (!this.active) return wait;
    outside(() => {
      if (timeout !== undefined && timeout <= LONGEST_TIMER) {
        this.timer = setTimeout(timedOut, timeout, this, timeout);
      }
      this.signal = signal;
      signal?.addEventListener('abort', this);
    });
    return wait;
  }

  private end(): void {
    this.active = false;
    this.resolve = undefined;
    this.reject = undefined;
    if (this.timer !== undefined) {
      clearTimeout(this.timer);
      this.timer = undefined;
    }
    if (this.signal !== undefined) {
      this.signal.removeEventListener('abort', this);
      this.signal = undefined;
    }
  }
}

function timedOut(wait: { fail(error: unknown): void }, timeout: number): void {
  wait.fail(new TimeoutError(`no message came within ${timeout} ms`));
}
