// Figures as JSON, as a Markdown table and as a chart.

import { type BarGroup, drawBars } from '../chart.ts';
import type { Machine } from '../machine.ts';
import { figure, median, type Summary, summarize } from '../statistics.ts';
import type { Rounds } from './measure.ts';
import type { Scenario } from './scenarios.ts';

export interface Result extends Summary {
  readonly client: string;
  readonly rounds: readonly number[];
  /** The part of the median that was spent outside the kernel. */
  readonly user: number;
  /** Median over the rounds of this client's value divided by undici's in the same round. */
  readonly ofUndici: number | undefined;
}

export interface Measurement {
  readonly name: string;
  readonly title: string;
  readonly short: string;
  readonly unit: string;
  readonly results: readonly Result[];
}

export interface Report {
  readonly machine: Machine;
  readonly command: string;
  readonly measurements: readonly Measurement[];
}

export function evaluate({ name, title, short, unit }: Scenario, rounds: Rounds): Measurement {
  const undici = rounds.get('undici');
  const comparable = undici?.every(({ value }) => value > 0) ? undici : undefined;
  const results = [...rounds].map(([client, samples]) => {
    const values = samples.map(({ value }) => value);
    return {
      client,
      ...summarize(values),
      user: median(samples.map(({ user }) => user)),
      ofUndici: comparable && median(values.map((value, round) => value / comparable[round]!.value)),
      rounds: values,
    };
  });
  return { name, title, short, unit, results };
}

/** One row per client, one column per scenario: the median, and lowest to highest behind it. */
export function table({ measurements, machine, command }: Report): string {
  const clients = [...new Set(measurements.flatMap(({ results }) => results.map(({ client }) => client)))];
  const rows = clients.map((client) => [
    client === 'aiohttp-ts' ? `**${client}**` : client,
    ...measurements.map(({ results }) => {
      const result = results.find((candidate) => candidate.client === client);
      if (result === undefined) return '';
      const { median, lowest, highest } = result;
      return `${figure(median)} (${figure(lowest)}–${figure(highest)})`;
    }),
  ]);
  const heads = ['', ...measurements.map(({ short, unit }) => `${short}, ${unit}`)];
  const lines = [heads, ['---', ...measurements.map(() => '---:')], ...rows].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
  return `${lines.join('\n')}

CPU of the client's process per request, kernel included; median (lowest–highest) of interleaved rounds. Node ${machine.node} on ${machine.cores} × ${machine.cpu}, ${machine.platform}, ${machine.date}. Measure again: \`${command}\`.
`;
}

export function chart({ machine, measurements }: Report): string {
  const groups = measurements.map(
    ({ title, unit, results }): BarGroup => ({
      title,
      unit,
      bars: results.map(({ client, median }) => ({
        label: client,
        value: median,
        ours: client === 'aiohttp-ts',
      })),
    }),
  );
  return drawBars(
    'CPU of a request in the client',
    `Node ${machine.node}, ${machine.cpu}, ${machine.date}; less is better`,
    groups,
  );
}
