// npm test [-- FILTER… --NODE-OPTION…]: installs and builds what is missing, then runs tests/**/*.test.ts.
// A FILTER is a part of a file's path (npm test -- http1/chunked); what begins with a dash goes to node
// (npm test -- --test-name-pattern=chunk).

import path from 'node:path';
import { become, build, fail, filesUnder, findProgram, install, root, say, succeeds } from './project.js';

install();
build();
provideRedis();

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

/** The tests of the Redis storage start a server of their own. Without the program they say so and are left out. */
function provideRedis() {
  if (findProgram('redis-server') !== undefined) return;
  const canInstall =
    process.platform === 'linux' && process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
  if (canInstall) {
    say('Installing redis-server (apt-get) …');
    // RUNLEVEL=1 keeps the package from starting a server of its own.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const get = ['install', '-y', '--no-install-recommends', 'redis-server'];
    if (
      succeeds('apt-get', get, { env }) ||
      (succeeds('apt-get', ['update'], { env }) && succeeds('apt-get', get, { env }))
    )
      return;
  }
  say(
    'redis-server is not installed: tests that need it are left out (Debian: apt-get install redis-server).',
  );
}
