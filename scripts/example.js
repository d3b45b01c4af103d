// npm run --silent example -- seed/NAME [options of the program]: installs and builds what is missing, then runs
// examples/seed/NAME.ts in this process, so that signals and the exit code are the program's own.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, fail, filesUnder, install, root } from './project.js';

const examples = path.join(root, 'examples');

/**
 * Runs one of the examples; returns when its module is loaded, which for a server is when it has ended.
 * @param {string} name path below examples/, without its ending
 * @param {string[]} args
 */
export async function runExample(name, args) {
  const file = path.join(examples, `${name}.ts`);
  if (!existsSync(file)) {
    const known = filesUnder(examples)
      .filter((other) => other.endsWith('.ts'))
      .map((other) => path.relative(examples, other).split(path.sep).join('/').slice(0, -3))
      .filter((other) => other.includes('/'));
    fail(`There is no example '${name}'. There are:\n  ${known.join('\n  ')}`);
  }
  install();
  build();
  const { register } = await import('tsx/esm/api');
  register();
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}

if (process.argv[1] === path.join(root, 'scripts', 'example.js')) {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined)
    fail('Usage: npm run --silent example -- FOLDER/NAME [--host H] [--port P] [--root DIR]');
  await runExample(name, args);
}
