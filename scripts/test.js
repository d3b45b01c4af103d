// npm test [-- FILTER… --NODE-OPTION…]: installs and builds what is missing, then runs tests/**/*.test.ts.
// A FILTER is a part of a file's path (npm test -- http1/chunked); what begins with a dash goes to node
// (npm test -- --test-name-pattern=chunk).

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { become, build, fail, filesUnder, findProgram, install, root, say, succeeds } from './project.js';

install();
build();
provide('redis-server', 'redis-server', () => findProgram('redis-server') !== undefined);
provide('postgres', 'postgresql', hasPostgres);

const args = process.argv.slice(2);
const filters = args.filter((arg) => !arg.startsWith('-'));
const options = args.filter((arg) => arg.startsWith('-'));
const files = filesUnder(path.join(root, 'tests'))
  .map((file) => path.relative(root, file).split(path.sep).join('/'))
  .filter(
    (file) =>
      file.endsWith('.test.ts') && (filters.length === 0 || filters.some((part) => file.includes(part))),
  );
if (files.length === 0) fail(`No test file's path contains ${filters.join(' or ')}.`);

// Node 20 knows no patterns after --test, so the files are named one by one. A file that hangs is ended, not waited for.
become([
  '--import',
  'tsx',
  '--test',
  '--test-reporter=spec',
  '--test-concurrency=2',
  '--test-timeout=180000',
  ...options,
  ...files,
]);

/**
 * Some tests start servers of their own. Where a program is missing and cannot be installed they say so and are left out.
 * @param {string} program
 * @param {string} debianPackage
 * @param {() => boolean} isThere
 */
function provide(program, debianPackage, isThere) {
  if (isThere()) return;
  const canInstall =
    process.platform === 'linux' && process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
  if (canInstall) {
    say(`Installing ${debianPackage} (apt-get) …`);
    // RUNLEVEL=1 keeps the package from starting a server of its own.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const get = ['install', '-y', '--no-install-recommends', debianPackage];
    if (
      succeeds('apt-get', get, { env }) ||
      (succeeds('apt-get', ['update'], { env }) && succeeds('apt-get', get, { env }))
    )
      return;
  }
  say(
    `${program} is not installed: tests that need it are left out (Debian: apt-get install ${debianPackage}).`,
  );
}

/** Debian keeps the server's programs outside of PATH, one folder for each version. */
function hasPostgres() {
  const debian = '/usr/lib/postgresql';
  return (
    findProgram('initdb') !== undefined ||
    (existsSync(debian) &&
      readdirSync(debian).some((version) => existsSync(`${debian}/${version}/bin/initdb`)))
  );
}
