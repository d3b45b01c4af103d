// Figures as JSON, as Markdown tables and as a chart.

import { type BarGroup, drawBars } from '../chart.ts';
import type { Machine } from '../machine.ts';
import { figure, median, type Summary, summarize } from '../statistics.ts';
import type { Rounds, Side } from './measure.ts';
import type { Scenario } from './scenarios.ts';

export interface Result extends Summary {
  readonly contender: string;
  readonly rounds: readonly number[];
  /** The part of the median that was spent outside the kernel. */
  readonly user: number;
  /** Median over the rounds of this one's value divided by that of ws in the same round. */
  readonly ofWs: number | undefined;
}

export interface Measurement {
  readonly side: Side;
  readonly name: string;
  readonly title: string;
  readonly short: string;
  readonly results: readonly Result[];
}

export interface Report {
  readonly machine: Machine;
  readonly command: string;
  readonly measurements: readonly Measurement[];
}

export function evaluate(side: Side, { name, title, short }: Scenario, rounds: Rounds): Measurement {
  const ws = rounds.get('ws');
  // A short check measures next to nothing.
  const comparable = ws?.every(({ value }) => value > 0) ? ws : undefined;
  const results = [...rounds].map(([contender, samples]) => {
    const values = samples.map(({ value }) => value);
    return {
      contender,
      ...summarize(values),
      user: median(samples.map(({ user }) => user)),
      ofWs: comparable && median(values.map((value, round) => value / comparable[round]!.value)),
      rounds: values,
    };
  });
  return { side, name, title, short, results };
}

/** For each side a table: one row per contender, one column per scenario. */
export function tables({ measurements, machine, command }: Report): string {
  return `${tableOf('server', measurements)}

${tableOf('client', measurements)}

µs of CPU of the process for one message received and one sent, kernel included; median (lowest–highest) of interleaved rounds. Node ${machine.node} on ${machine.cores} × ${machine.cpu}, ${machine.platform}, ${machine.date}. Measure again: \`${command}\`.
`;
}

function tableOf(side: Side, all: readonly Measurement[]): string {
  const measurements = all.filter((measurement) => measurement.side === side);
  const names = [
    ...new Set(measurements.flatMap(({ results }) => results.map(({ contender }) => contender))),
  ];
  const rows = names.map((name) => [
    name === 'aiohttp-ts' ? `**${name}**` : name,
    ...measurements.map(({ results }) => {
      const result = results.find(({ contender }) => contender === name);
      if (result === undefined) return '';
      return `${figure(result.median)} (${figure(result.lowest)}–${figure(result.highest)})`;
    }),
  ]);
  const heads = [side, ...measurements.map(({ short }) => `${short}, µs`)];
  return [heads, ['---', ...measurements.map(() => '---:')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

export function chart({ machine, measurements }: Report): string {
  const groups = measurements.map(
    ({ side, title, results }): BarGroup => ({
      title: `${side}: ${title}`,
      unit: 'µs',
      bars: results.map(({ contender, median }) => ({
        label: contender,
        value: median,
        ours: contender === 'aiohttp-ts',
      })),
    }),
  );
  return drawBars(
    'CPU of a WebSocket message and its echo',
    `Node ${machine.node}, ${machine.cpu}, ${machine.date}; less is better`,
    groups,
  );
}
