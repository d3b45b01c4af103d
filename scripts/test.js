// npm test [-- FILTER… --NODE-OPTION…]: installs and builds what is missing, then runs tests/**/*.test.ts.
// A FILTER is a part of a file's path (npm test -- http1/chunked); what begins with a dash goes to node
// (npm test -- --test-name-pattern=chunk).
// npm run test:browser: the same for tests/**/*.browser.ts, which drive a real browser.

import path from 'node:path';
import { become, build, fail, filesUnder, install, root } from './project.js';
import { provideChromium, providePostgres, provideRedis } from './provide.js';

const args = process.argv.slice(2);
const inBrowser = args.includes('--browser');
const filters = args.filter((arg) => !arg.startsWith('-'));
const options = args.filter((arg) => arg.startsWith('-') && arg !== '--browser');
const ending = inBrowser ? '.browser.ts' : '.test.ts';

install();
build();
if (inBrowser) {
  if (!provideChromium()) process.exit(0);
} else {
  provideRedis();
  providePostgres();
}

const files = filesUnder(path.join(root, 'tests'))
  .map((file) => path.relative(root, file).split(path.sep).join('/'))
  .filter(
    (file) => file.endsWith(ending) && (filters.length === 0 || filters.some((part) => file.includes(part))),
  );
if (files.length === 0) fail(`No test file's path contains ${filters.join(' or ')}.`);

// Node 20 knows no patterns after --test, so the files are named one by one. A file that hangs is ended, not waited for.
become([
  '--import',
  'tsx',
  '--test',
  '--test-reporter=spec',
  '--test-concurrency=2',
  '--test-timeout=600000',
  ...options,
  ...files,
]);
