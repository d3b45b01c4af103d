#!/usr/bin/env node
/** The command line: `aiohttp-ts COMMAND …`. */

import { get, getUsage } from './get.ts';
import { jinja2, jinja2Usage } from './jinja2.ts';

const commands: ReadonlyMap<string, (args: readonly string[]) => Promise<number>> = new Map([
  ['get', get],
  ['jinja2', jinja2],
]);

const [name = '', ...args] = process.argv.slice(2);
const command = commands.get(name);
if (command === undefined) {
  const asked = name === '' || name === '--help' || name === '-h';
  (asked && name !== '' ? process.stdout : process.stderr).write(
    `${asked ? '' : `There is no command '${name}'.\n`}Usage:\n  ${getUsage}\n  ${jinja2Usage}\n`,
  );
  process.exitCode = asked && name !== '' ? 0 : 2;
} else {
  process.exitCode = await command(args);
}
