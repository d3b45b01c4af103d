// What every script needs before it can do its own work: the dependencies and the built package. Runs on a bare
// Node 20.19, before anything is installed, so it uses nothing but Node. Progress goes to stderr: stdout belongs to
// the program that the script starts.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const oldestNode = [20, 19];

/**
 * Ends the script with a message for the person who started it.
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/**
 * One line of progress.
 * @param {string} message
 */
export function say(message) {
  process.stderr.write(`${message}\n`);
}

/**
 * Runs a program to its end; its stdout goes to our stderr.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {boolean} whether it ended well
 */
export function succeeds(command, args, { cwd = root, env = process.env } = {}) {
  return spawnSync(command, args, { cwd, env, stdio: ['ignore', 2, 2] }).status === 0;
}

/**
 * Runs Node with `args`, sharing this process' input and output, and ends this process as the child ended.
 * @param {string[]} args
 * @returns {void}
 */
export function become(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  // A terminal sends ctrl-C to the child as well: it decides how to end, and we follow.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1);
    process.removeAllListeners('SIGINT');
    process.removeAllListeners('SIGTERM');
  });
}

/**
 * Installs what `package-lock.json` in `folder` names, unless just that is installed already.
 * @param {string} [folder]
 */
export function install(folder = root) {
  checkNode();
  if (isInstalled(folder)) return;
  const name = path.relative(root, folder);
  say(`Installing dependencies${name === '' ? '' : ` of ${name}/`} (npm ci) …`);
  const npm = process.env['npm_execpath'];
  const ok =
    npm !== undefined && /npm-cli\.[cm]?js$/.test(npm)
      ? succeeds(process.execPath, [npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
          cwd: folder,
        })
      : succeeds(
          process.platform === 'win32' ? 'npm.cmd' : 'npm',
          ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
          {
            cwd: folder,
          },
        );
  if (!ok) fail(`npm ci failed in ${folder}. Its output above says why; the npm registry must be reachable.`);
}

/**
 * Builds `dist/` from `src/`, unless it was built from just these files. The new folder takes the place of the old one
 * only when it is complete.
 */
export function build() {
  const dist = path.join(root, 'dist');
  const cache = path.join(root, '.cache');
  const stamp = path.join(cache, 'built-from');
  const sources = fingerprint();
  if (existsSync(dist) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  say('Building dist/ …');
  const fresh = path.join(cache, `dist-${process.pid}`);
  const old = path.join(cache, `dist-old-${process.pid}`);
  mkdirSync(cache, { recursive: true });
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const ok =
    succeeds(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh]) &&
    succeeds(process.execPath, [path.join(root, 'scripts', 'bundle.js'), fresh]);
  if (!ok) {
    rmSync(fresh, { recursive: true, force: true });
    fail('The build failed: what is above says why.');
  }
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  writeFileSync(stamp, sources);
  rmSync(old, { recursive: true, force: true });
}

/**
 * All files under `folder`, in the order of their names.
 * @param {string} folder
 * @returns {string[]}
 */
export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? (entry.name === 'node_modules' ? [] : filesUnder(file)) : [file];
    });
}

/**
 * Where `program` is in `PATH`.
 * @param {string} program
 * @returns {string | undefined}
 */
export function findProgram(program) {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, program);
    if (folder !== '' && existsSync(file)) return file;
  }
  return undefined;
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  fail(`Node ${process.versions.node} is too old: aiohttp-ts needs ${oldestNode.join('.')} or newer.`);
}

/**
 * Compares the lock file with the list that npm keeps of what it installed. Dates cannot tell: a clone gives every file a new one.
 * @param {string} folder
 * @returns {boolean}
 */
function isInstalled(folder) {
  const installed = path.join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(readFileSync(path.join(folder, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([name, entry]) =>
      name === '' ||
      (present[name] === undefined ? entry.optional === true : present[name].version === entry.version),
  );
}

/** @returns {string} changes when a source file changes, comes or goes */
function fingerprint() {
  const hash = createHash('sha256');
  const configs = ['tsconfig.json', 'tsconfig.build.json', 'scripts/bundle.js', 'package-lock.json'].map(
    (name) => path.join(root, name),
  );
  for (const file of [...filesUnder(path.join(root, 'src')), ...configs]) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${path.relative(root, file)}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest('hex');
}
