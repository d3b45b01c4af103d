// node scripts/bundle.js OUT: writes the JavaScript of the package, one file for each room of src/. Node takes half a millisecond to find,
// read and link a module: 200 of them made `import 'aiohttp-ts/web'` dearer than Fastify. Rooms are entered by their index.ts only
// (tests/architecture.test.ts sees to it), so a room can be one file without any code being there twice.

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { fail, root } from './project.js';

const out = process.argv[2] ?? fail('Usage: node scripts/bundle.js OUT');
const src = path.join(root, 'src');

/** Programs of their own besides a room's index.ts: the command, and what runs in a worker thread. */
const programs = ['cli/main.ts', 'sqlite/thread.ts'];

const rooms = readdirSync(src, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(path.join(src, entry.name, 'index.ts')))
  .map(({ name }) => `${name}/index.ts`);

for (const entry of ['index.ts', ...rooms, ...programs]) {
  const room = path.dirname(path.join(src, entry));
  const bundle = await rolldown({
    input: path.join(src, entry),
    platform: 'node',
    treeshake: false,
    external: (id, importer) => importer !== undefined && !isOfRoom(room, id, importer),
  });
  await bundle.write({
    file: path.join(out, entry.replace(/\.ts$/, '.js')),
    format: 'esm',
    sourcemap: true,
    paths: (id) => (path.isAbsolute(id) ? fromRoom(room, id) : id),
  });
  await bundle.close();
}

/**
 * Packages and other rooms are left outside.
 * @param {string} room
 * @param {string} id
 * @param {string} importer
 */
function isOfRoom(room, id, importer) {
  if (!id.startsWith('.') && !path.isAbsolute(id)) return false;
  const file = path.resolve(path.dirname(importer), id);
  return room === src ? path.dirname(file) === src : file.startsWith(room + path.sep);
}

/**
 * Where a file of another room is in dist/, seen from this one.
 * @param {string} room
 * @param {string} file
 */
function fromRoom(room, file) {
  const relative = path.relative(room, file).split(path.sep).join('/');
  return (relative.startsWith('.') ? relative : `./${relative}`).replace(/\.ts$/, '.js');
}
