import type { Watch } from './link.ts';
import type { Decided } from './options.ts';
import type { PlanKind } from './plan.ts';

/** Statements that were reported, so that each is reported once. */
const MOST_REPORTED = 100;

/** What helps: no index makes a COMMIT faster, it waits for the disk. */
function adviceFor(kind: PlanKind): string {
  const threads = "connect with { mode: 'worker' }, which runs statements in threads";
  switch (kind) {
    case 'commit':
      return `It waited for a slow disk: ${threads}.`;
    case 'write':
      return `If it looks for rows, give it an index; if it waited for a slow disk, ${threads}, or write more in one transaction.`;
    default:
      return `Give it an index, or ${threads}.`;
  }
}

/** Reports statements that keep the event loop of the main thread; `undefined` where nobody wants to know. */
export function watchFor(options: Decided): Watch | undefined {
  const { slowQuery, onSlowQuery, worker } = options;
  if (worker || slowQuery === Number.POSITIVE_INFINITY) return undefined;
  const reported = new Set<string>();
  return ({ text: statement, kind }, duration) => {
    if (duration <= slowQuery) return;
    if (onSlowQuery !== undefined) {
      onSlowQuery({ statement, duration });
      return;
    }
    if (reported.has(statement) || reported.size >= MOST_REPORTED) return;
    reported.add(statement);
    process.emitWarning(
      `a statement kept the event loop for ${Math.round(duration)} ms: ${statement.slice(0, 300)}`,
      {
        type: 'SlowQueryWarning',
        code: 'AIO_SQL_SLOW',
        detail: adviceFor(kind),
      },
    );
  };
}
