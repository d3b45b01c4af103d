// npm run bench [-- NAME] [options of the bench]: installs and builds what is missing, also what the benches compare
// with, then runs bench/NAME/run.ts (or run.mjs); without a NAME all benches one after the other.
// Every bench knows --check: one short round that only sees that it runs.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { build, fail, install, root, say } from './project.js';

const benches = path.join(root, 'bench');

/**
 * The program of a bench.
 * @param {string} name
 * @returns {string | undefined}
 */
function program(name) {
  return ['run.ts', 'run.mjs'].map((file) => path.join(benches, name, file)).find((file) => existsSync(file));
}

const known = readdirSync(benches).filter((name) => program(name) !== undefined);
const [first, ...rest] = process.argv.slice(2);
const named = first !== undefined && !first.startsWith('-');
if (named && !known.includes(first)) fail(`There is no bench '${first}'. There are: ${known.join(', ')}`);

install();
build();
install(benches);
// The benches import the package by its name, as a user does.
const self = path.join(benches, 'node_modules', 'aiohttp-ts');
if (!existsSync(self)) {
  rmSync(self, { force: true });
  symlinkSync(path.join('..', '..'), self, 'junction');
}

for (const name of named ? [first] : known) {
  say(`bench ${name}`);
  const file = /** @type {string} */ (program(name));
  const loader = file.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const { status } = spawnSync(
    process.execPath,
    [...loader, file, ...(named ? rest : process.argv.slice(2))],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (status !== 0) fail(`bench ${name} failed`);
}
