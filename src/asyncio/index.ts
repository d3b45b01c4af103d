/**
 * asyncio's model for TypeScript: tasks that can be cancelled, groups, timeouts, queues, locks and threads.
 *
 * @module
 */
export { type Awaitable, ensureFuture, type ResultOf } from './awaitable.ts';
export { Barrier } from './barrier.ts';
export { callGraph } from './call-graph.ts';
export { cancellable, cancelOn } from './cancellable.ts';
export { Condition } from './condition.ts';
export { outside } from './context.ts';
export {
  type AsyncContextManager,
  aclosing,
  asyncContextManager,
  type Closing,
  type Entered,
  type Releasable,
} from './context-manager.ts';
export {
  Context,
  ContextVar,
  type ContextVarOptions,
  contextVarsInUse,
  copyContext,
  inContext,
  type Token,
} from './context-var.ts';
export { isDebug, setDebug } from './debug.ts';
export {
  BrokenBarrierError,
  CancelledError,
  DeadlockError,
  InvalidStateError,
  isCancelled,
  KeyboardInterrupt,
  LookupError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  TimeoutError,
} from './errors.ts';
export { Event } from './event.ts';
export { type ErrorMatch, ExceptionGroup } from './exception-group.ts';
export { AsyncExitStack } from './exit-stack.ts';
export { Future, type Resolvers, withResolvers } from './future.ts';
export { type GatherOptions, type GatherResults, gather, type SettledResults } from './gather.ts';
export { type Held, Lock } from './lock.ts';
export { LifoQueue, PriorityQueue, Queue } from './queue.ts';
export { type ExceptionContext, type ExceptionHandler, setExceptionHandler } from './report.ts';
export { Runner, type RunOptions, run } from './runner.ts';
export { BoundedSemaphore, Semaphore } from './semaphore.ts';
export { shield } from './shield.ts';
export { sleep } from './sleep.ts';
export { type Arm, suspend } from './suspend.ts';
export { allTasks, createTask, currentTask, Task, type TaskOptions } from './task.ts';
export { TaskGroup, taskGroup } from './task-group.ts';
export { type ThreadModule, ThreadPool, type ThreadPoolOptions, threadModule, toThread } from './thread.ts';
export { type Timeout, timeout, timeoutAt, waitFor } from './timeout.ts';
export { time } from './timer.ts';
export {
  ALL_COMPLETED,
  type AsCompleted,
  type AsCompletedOptions,
  asCompleted,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  type ReturnWhen,
  type WaitOptions,
  type WaitResult,
  wait,
} from './wait.ts';
