// npm run check:tarball: packs the project, installs the tarball in an empty project outside of it, and there type-checks
// and runs the README's first example as a reader would who copies it.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build, install, root, say } from './project.js';

install();
build();

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const example = firstExample();
const folder = mkdtempSync(path.join(os.tmpdir(), 'aiohttp-ts-tarball-'));
try {
  const packed = JSON.parse(npm(root, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]));
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: 'reader', private: true, type: 'module' }),
  );
  npm(folder, [
    'install',
    '--no-audit',
    '--no-fund',
    `./${packed[0].filename}`,
    `typescript@${manifest.devDependencies.typescript}`,
    `@types/node@${manifest.devDependencies['@types/node']}`,
  ]);
  // skipLibCheck is off: our own declarations must hold without it.
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  };
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['server.ts', 'entries.ts'] }),
  );
  // Every entry, so that the declarations of all rooms are checked, without the optional peers.
  const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
  writeFileSync(
    path.join(folder, 'entries.ts'),
    entries.map((entry) => `export type {} from '${manifest.name}${entry.slice(1)}';\n`).join(''),
  );
  // A free port instead of the one that a reader would choose.
  writeFileSync(path.join(folder, 'server.ts'), example.replace(/port: \d+/, 'port: 0'));
  run(folder, process.execPath, [path.join('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
  await tryServer(folder);
  say(
    `${packed[0].filename}: ${packed[0].files.length} files, ${Math.round(packed[0].unpackedSize / 1024)} KB; it runs.`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns {string} */
function firstExample() {
  const block = /^```ts\b[^\n]*\n([\s\S]*?)^```$/m.exec(readFileSync(path.join(root, 'README.md'), 'utf8'));
  if (block?.[1] === undefined) throw new Error('README.md has no TypeScript block');
  return block[1];
}

/**
 * @param {string} cwd
 * @param {string[]} args
 * @returns {string} its stdout
 */
function npm(cwd, args) {
  const cli = process.env['npm_execpath'];
  return cli?.endsWith('.js') ? run(cwd, process.execPath, [cli, ...args]) : run(cwd, 'npm', args);
}

/**
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 * @returns {string} its stdout
 */
function run(cwd, command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 600_000,
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed\n${stdout}${stderr}`, { cause: error });
  return stdout;
}

/**
 * Starts the compiled example, asks it for what its first route answers, and ends it as ctrl-C does.
 * @param {string} cwd
 */
async function tryServer(cwd) {
  const server = spawn(process.execPath, ['server.js'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const deadline = setTimeout(() => server.kill('SIGKILL'), 120_000);
  const exited = once(server, 'exit');
  try {
    let url;
    for await (const line of createInterface(server.stdout)) {
      url = /https?:\/\/[\w.:[\]]+/.exec(line)?.[0];
      if (url !== undefined) break;
    }
    if (url === undefined) throw new Error('the example ended without saying where it listens');
    const address = url.replace('0.0.0.0', '127.0.0.1').replace('[::]', '127.0.0.1');
    const response = await fetch(address, { signal: AbortSignal.timeout(60_000) });
    const body = await response.text();
    say(`GET ${address} → ${response.status} ${JSON.stringify(body)}`);
    if (response.status !== 200 || body === '') throw new Error('the example does not answer GET / with 200');
    server.kill('SIGINT');
    const [code] = await exited;
    if (code !== 0 && code !== 130) throw new Error(`the example ended with code ${code} after SIGINT`);
  } finally {
    clearTimeout(deadline);
    server.kill('SIGKILL');
  }
}
