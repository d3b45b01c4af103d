import type { PendingWait } from './context.ts';
import { isDebug } from './debug.ts';
import { Future, FutureWait } from './future.ts';
import { Gathering } from './gather.ts';
import type { Wait } from './suspend.ts';
import { allTasks, Task } from './task.ts';

/** What somebody waits for: in words, and the futures behind it. */
interface Waiting {
  readonly what: string;
  readonly on: readonly Future<unknown>[];
}

function waitsOf(task: Task<unknown>): Waiting[] {
  const { wait, waits } = task.scope;
  const all: PendingWait[] = wait === undefined ? [] : [wait];
  if (waits !== undefined) all.push(...waits);
  return all.map(describeWait);
}

function describeWait(wait: PendingWait): Waiting {
  if (wait instanceof FutureWait) {
    const target = wait.target as Future<unknown>;
    return {
      what: target.describe(),
      on: target instanceof Gathering ? target.children.flatMap(innermost) : innermost(target),
    };
  }
  const { label, targets } = wait as Wait<unknown> & { targets?: ReadonlySet<Future<unknown>> };
  return { what: label, on: targets === undefined ? [] : [...targets] };
}

/** A shield stands for the work behind it. */
function innermost(future: Future<unknown>): Future<unknown>[] {
  const { inner } = future as { inner?: unknown };
  return inner instanceof Future ? [inner] : [future];
}

/**
 * Who waits for whom, as text: every task with what it waits for, and below it the tasks that it waits for. For a program that stands
 * still: `process.on('SIGUSR2', () => console.log(asyncio.callGraph()))`.
 *
 * Source: `python -m asyncio pstree`, `asyncio.print_call_graph` (Python 3.14).
 *
 * @returns one line per task; 'no tasks' when there is none
 *
 * @example
 * ```ts
 * import { callGraph, createTask, Queue, sleep } from 'aiohttp-ts/asyncio';
 * const queue = new Queue<string>();
 * const worker = createTask(() => queue.get(), { name: 'worker' });
 * const boss = createTask(async () => await worker, { name: 'boss' });
 * await sleep(0);
 * console.log(callGraph());
 * // boss: waits for worker
 * // └── worker: waits for Queue.get
 * queue.putNowait('done');
 * await boss;
 * ```
 */
export function callGraph(): string {
  const tasks = allTasks();
  if (tasks.size === 0) return 'no tasks';
  const graph = new Map([...tasks].map((task) => [task, waitsOf(task)]));
  const awaited = new Set([...graph.values()].flatMap((waits) => waits.flatMap((waiting) => waiting.on)));
  const lines: string[] = [];
  const shown = new Set<Task<unknown>>();

  const show = (task: Task<unknown>, first: string, rest: string, above: readonly Task<unknown>[]): void => {
    const waits = graph.get(task) ?? waitsOf(task);
    const repeated = shown.has(task);
    shown.add(task);
    const what =
      waits.length === 0
        ? 'runs, or is inside of a foreign promise'
        : `waits for ${waits.map(({ what }) => what).join(', ')}`;
    const note = above.includes(task) ? ' (a circle: it waits for itself)' : repeated ? ' (see above)' : '';
    lines.push(`${first}${task.describe()}: ${what}${note}`);
    if (repeated) return;
    if (isDebug() && task.madeAt !== undefined)
      lines.push(`${rest}made ${task.madeAt.trim().split('\n')[0]}`);
    const below = waits.flatMap(({ on }) => on).filter((future) => future instanceof Task && !future.done());
    below.forEach((next, index) => {
      const last = index === below.length - 1;
      show(next as Task<unknown>, `${rest}${last ? '└── ' : '├── '}`, `${rest}${last ? '    ' : '│   '}`, [
        ...above,
        task,
      ]);
    });
  };

  for (const task of tasks) if (!awaited.has(task)) show(task, '', '', []);
  // What is left waits in a circle.
  for (const task of tasks) if (!shown.has(task)) show(task, '', '', []);
  return lines.join('\n');
}
