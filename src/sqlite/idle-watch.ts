import { currentTask, outside, type Task } from '../asyncio/index.ts';

/**
 * Sees to the end of a transaction that no function ends: a request or task that goes without COMMIT must not keep everybody from writing.
 */
export class IdleWatch {
  private readonly timer: ReturnType<typeof setTimeout> | undefined;
  private readonly task: Task<unknown> | undefined;
  private readonly taskEnded: () => void;

  /**
   * @param limit how long it may lie idle, in ms
   * @param busy whether a statement of it runs: a thread that works on a long one is not idle
   * @param abandon called with the reason
   */
  constructor(limit: number, busy: () => boolean, abandon: (why: string) => void) {
    this.timer =
      limit < 2 ** 31
        ? outside(() =>
            setTimeout(() => {
              if (busy()) this.refresh();
              else abandon(`it lay idle for ${limit} ms`);
            }, limit),
          ).unref()
        : undefined;
    this.taskEnded = () => abandon('its task has ended');
    this.task = currentTask();
    this.task?.addDoneCallback(this.taskEnded);
  }

  /** It was used. */
  refresh(): void {
    this.timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.task?.removeDoneCallback(this.taskEnded);
  }
}
