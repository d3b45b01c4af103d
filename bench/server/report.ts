// Figures as JSON, as a Markdown table and as a chart.

import { type BarGroup, drawBars } from '../chart.ts';
import type { Machine } from '../machine.ts';
import { figure, median, type Summary, summarize } from '../statistics.ts';
import type { Rounds } from './measure.ts';

export interface Measurement {
  readonly name: string;
  readonly title: string;
  /** Head of a column that has little room. */
  readonly short: string;
  readonly unit: string;
  readonly results: readonly Result[];
}

export interface Result extends Summary {
  readonly server: string;
  readonly rounds: readonly number[];
  /** The part of the median that was spent outside the kernel: what a server's code can be blamed for. */
  readonly user: number | undefined;
  /** Median over the rounds of this server's value divided by Fastify's in the same round. */
  readonly ofFastify: number | undefined;
}

export interface Report {
  readonly machine: Machine;
  readonly command: string;
  readonly generator: string;
  readonly measurements: readonly Measurement[];
}

/** What was measured, without what came out. */
export type Subject = Omit<Measurement, 'results'>;

export function evaluate(subject: Subject, rounds: Rounds): Measurement {
  // A short check measures next to nothing, and memory may even shrink.
  const fastify = rounds.get('Fastify');
  const comparable = fastify?.every(({ value }) => value > 0) ? fastify : undefined;
  const results = [...rounds].map(([server, samples]) => {
    const values = samples.map(({ value }) => value);
    const users = samples.map(({ user }) => user).filter((user) => user !== undefined);
    return {
      server,
      ...summarize(values),
      user: users.length === 0 ? undefined : median(users),
      ofFastify: comparable && median(values.map((value, round) => value / comparable[round]!.value)),
      rounds: values,
    };
  });
  return { ...subject, results };
}

/** One row per server, one column per measurement: the median, and lowest to highest behind it. */
export function fullTable(report: Report): string {
  const table = tableOf(
    report,
    ({ title, unit }) => `${title}, ${unit}`,
    ({ median, lowest, highest }) => `${figure(median)} (${figure(lowest)}–${figure(highest)})`,
  );
  return `${table}\n\nMedian (lowest–highest) of interleaved rounds. ${whereAndHow(report)}\n`;
}

/** `aiohttp-ts, handler tasks`: of interest beside the server itself, not to somebody who compares servers. */
const variants = /^aiohttp-ts, /;

/** The same with medians alone, for a page that has other things to say. */
export function shortTable(report: Report): string {
  const table = tableOf(
    report,
    ({ short, unit }) => (unit === 'µs' ? short : `${short}, ${unit}`),
    ({ median }) => figure(median),
    variants,
  );
  return `${table}\n\nµs of the server's CPU per request, kernel included; medians of interleaved rounds. ${whereAndHow(report)}\n`;
}

function tableOf(
  { measurements }: Report,
  head: (measurement: Measurement) => string,
  cell: (result: Result) => string,
  without: RegExp = /^$/,
): string {
  const names = measurements.flatMap(({ results }) => results.map(({ server }) => server));
  const servers = [...new Set(names)].filter((name) => !without.test(name));
  const rows = servers.map((server) => [
    server === 'aiohttp-ts' ? `**${server}**` : server,
    ...measurements.map(({ results }) => {
      const result = results.find((candidate) => candidate.server === server);
      return result === undefined ? '' : cell(result);
    }),
  ]);
  const table = [['', ...measurements.map(head)], ['---', ...measurements.map(() => '---:')], ...rows];
  return table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function whereAndHow({ machine, command, generator }: Report): string {
  return `Node ${machine.node} on ${machine.cores} × ${machine.cpu}, ${machine.platform}, ${machine.date}; load by ${
    generator === 'wrk' ? 'wrk' : 'the generator in `bench/server`'
  }. Measure again: \`${command}\`.`;
}

export function chart({ machine, measurements }: Report): string {
  const groups = measurements.map(
    ({ title, unit, results }): BarGroup => ({
      title,
      unit,
      bars: results
        .filter(({ server }) => !variants.test(server))
        .map(({ server, median }) => ({
          label: server,
          value: median,
          ours: server === 'aiohttp-ts',
        })),
    }),
  );
  return drawBars(
    'What a request costs the server',
    `shorter is better; medians of interleaved rounds, Node ${machine.node}, ${machine.cpu}`,
    groups,
  );
}
