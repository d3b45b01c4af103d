import type { Watch } from './link.ts';
import type { Decided } from './options.ts';

/** Statements that were reported, so that each is reported once. */
const MOST_REPORTED = 100;

/** Reports statements that keep the event loop of the main thread; `undefined` where nobody wants to know. */
export function watchFor(options: Decided): Watch | undefined {
  const { slowQuery, onSlowQuery, worker } = options;
  if (worker || slowQuery === Number.POSITIVE_INFINITY) return undefined;
  const reported = new Set<string>();
  return (statement, duration) => {
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
        detail: "Give it an index, or connect with { mode: 'worker' }, which runs statements in threads.",
      },
    );
  };
}
