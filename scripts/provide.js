// Programs that some tests start: installed where that needs nobody's leave, asked for in one line elsewhere.

import { existsSync, readdirSync } from 'node:fs';
import { findProgram, say, succeeds } from './project.js';

/** @returns {boolean} */
export function provideRedis() {
  return provide('redis-server', 'redis-server', () => findProgram('redis-server') !== undefined);
}

/** @returns {boolean} */
export function providePostgres() {
  return provide('postgres', 'postgresql', hasPostgres);
}

/** @returns {boolean} */
export function provideChromium() {
  return provide('chromium', 'chromium', () => findProgram('chromium') !== undefined);
}

/**
 * Where a program is missing and cannot be installed, the tests that need it say so and are left out.
 * @param {string} program
 * @param {string} debianPackage
 * @param {() => boolean} isThere
 * @returns {boolean} whether it is there now
 */
function provide(program, debianPackage, isThere) {
  if (isThere()) return true;
  const canInstall =
    process.platform === 'linux' && process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
  if (canInstall) {
    say(`Installing ${debianPackage} (apt-get) …`);
    // RUNLEVEL=1 keeps a package from starting a server of its own.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    // Another apt-get that is at work is waited for; a mirror that does not answer is not waited for for ever.
    const patience = [
      '-o',
      'DPkg::Lock::Timeout=120',
      '-o',
      'Acquire::http::Timeout=30',
      '-o',
      'Acquire::Retries=1',
    ];
    const get = [...patience, 'install', '-y', '--no-install-recommends', debianPackage];
    const done =
      succeeds('apt-get', get, { env }) ||
      (succeeds('apt-get', [...patience, 'update'], { env }) && succeeds('apt-get', get, { env }));
    if (done && isThere()) return true;
  }
  say(
    `${program} is not installed: tests that need it are left out (Debian: apt-get install ${debianPackage}).`,
  );
  return false;
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
