// How long a bench runs, on which Node, and where its figures go: what benches that start processes have in common.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** For `parseArgs`, beside the options that a bench has of its own. */
export const effortOptions = {
  node: { type: 'string', default: process.execPath },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  out: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
  publish: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
} as const;

/** A number of rounds or seconds as it was given on the command line: every bench is bounded. */
export function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 600))
    throw new RangeError(`--${name} must be between 0 and 600, not '${text}'`);
  return value;
}

/** Rounds and seconds; `--check` only sees that everything runs. */
export function effortOf(
  options: {
    readonly rounds?: string | undefined;
    readonly seconds?: string | undefined;
    readonly check: boolean;
  },
  secondsOfCheck = '0.1',
): { readonly rounds: number; readonly seconds: number } {
  return {
    rounds: positive('rounds', options.rounds ?? (options.check ? '1' : '5')),
    seconds: positive('seconds', options.seconds ?? (options.check ? secondsOfCheck : '2')),
  };
}

/** Published are whole measurements only: all `scenarios` of all `subjects`, at full length. */
export function checkPublishing(
  options: { readonly publish: boolean; readonly check: boolean; readonly scenario?: unknown },
  selected: unknown,
  subjects: string,
): void {
  if (options.publish && (options.scenario !== undefined || selected !== undefined || options.check)) {
    throw new RangeError(`--publish needs all scenarios and all ${subjects}, at full length`);
  }
}

/** The scenarios that were chosen by name, or all. */
export function chosenNames(
  chosen: readonly string[] | undefined,
  names: readonly string[],
): readonly string[] {
  for (const name of chosen ?? []) {
    if (!names.includes(name)) throw new RangeError(`no scenario '${name}'; there are ${names.join(', ')}`);
  }
  return chosen ?? names;
}

/** Of the Node that is measured. */
export function versionOf(node: string): string {
  return execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
}
