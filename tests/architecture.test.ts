import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** The rooms of the house, and the rooms below that each may enter, through their index.ts only. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  asyncio: [],
  message: ['asyncio'],
  http1: ['message', 'asyncio'],
  net: ['http1', 'message', 'asyncio'],
  websocket: ['net', 'message', 'asyncio'],
  web: ['websocket', 'net', 'http1', 'message', 'asyncio'],
  client: ['websocket', 'net', 'http1', 'message', 'asyncio'],
  // Extensions see what users see.
  jinja2: ['web', 'asyncio'],
  sql: ['asyncio'],
  sqlite: ['sql', 'asyncio'],
  postgres: ['sql', 'asyncio'],
  database: ['sqlite', 'postgres', 'sql', 'web', 'asyncio'],
  redis: ['asyncio'],
  session: ['redis', 'sql', 'web', 'asyncio'],
  security: ['session', 'web', 'asyncio'],
  cors: ['web'],
  'rate-limit': ['redis', 'web', 'asyncio'],
  testing: ['web', 'client', 'asyncio'],
  cli: ['testing', 'jinja2', 'web', 'client', 'asyncio'],
};

/** The HTTP engine is our own, so none of Node's may slip in. */
const forbiddenModules = ['node:http', 'node:https', 'node:http2', 'node:_http_common'];

const longestFile = 450;

interface SourceFile {
  /** Path below src/, with slashes. */
  readonly name: string;
  readonly room: string;
  readonly text: string;
}

interface Import {
  readonly file: SourceFile;
  readonly line: number;
  readonly specifier: string;
}

const files: readonly SourceFile[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(path.sep).join('/'))
  .sort()
  .map((name) => ({
    name,
    room: name.includes('/') ? name.slice(0, name.indexOf('/')) : '',
    text: readFileSync(path.join(src, name), 'utf8'),
  }));

const imports: readonly Import[] = files.flatMap((file) => importsOf(file));

function importsOf(file: SourceFile): Import[] {
  const code = file.text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
  const patterns = [
    /^(?:import|export)\s[^;'"]*?from\s+'([^']+)'/gm,
    /^import\s+'([^']+)'/gm,
    /\bimport\(\s*'([^']+)'\s*\)/g,
  ];
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => ({
      file,
      line: code.slice(0, match.index).split('\n').length,
      specifier: match[1]!,
    })),
  );
}

/** Where an import of ours leads: a path below src/. */
function target({ file, specifier }: Import): string {
  return path.posix.normalize(path.posix.join(path.posix.dirname(file.name), specifier));
}

function complain(where: Import, why: string): string {
  return `src/${where.file.name}:${where.line} imports '${where.specifier}': ${why}`;
}

function nothingIn(complaints: readonly string[]): void {
  assert.equal(complaints.length, 0, `\n${complaints.join('\n')}\n`);
}

describe('the house', () => {
  test('every folder of src/ is a room with known floors below it', () => {
    const unknown = [...new Set(files.map(({ room }) => room))].filter(
      (room) => room !== '' && !(room in rooms),
    );
    nothingIn(
      unknown.map((room) => `src/${room}/ is not in the table of rooms in tests/architecture.test.ts`),
    );
  });

  test('a room imports from rooms below it only, and through their index.ts', () => {
    const complaints: string[] = [];
    for (const where of imports) {
      if (!where.specifier.startsWith('.')) continue;
      const to = target(where);
      const { room } = where.file;
      const otherRoom = to.includes('/') ? to.slice(0, to.indexOf('/')) : '';
      if (to.startsWith('..')) complaints.push(complain(where, 'that is outside src/'));
      else if (otherRoom === room) {
        if (to === `${room}/index.ts`)
          complaints.push(complain(where, 'a room does not go out by its own door'));
      } else if (room !== '' && !rooms[room]?.includes(otherRoom)) {
        complaints.push(
          complain(where, `${room}/ may import from ${rooms[room]?.join(', ') || 'no other room'}`),
        );
      } else if (to !== `${otherRoom}/index.ts`) {
        complaints.push(complain(where, `another room is entered through ${otherRoom}/index.ts`));
      }
    }
    nothingIn(complaints);
  });

  test('imports of our own files end in .ts, those of Node begin with node:, and all lead somewhere', () => {
    const known = new Set(files.map(({ name }) => name));
    const complaints = imports.flatMap((where) => {
      if (!where.specifier.startsWith('.')) {
        return where.specifier.startsWith('node:') || !isBuiltin(where.specifier)
          ? []
          : [complain(where, `write 'node:${where.specifier}'`)];
      }
      return known.has(target(where)) ? [] : [complain(where, 'there is no such file')];
    });
    nothingIn(complaints);
  });

  test("nothing in src/ uses Node's own HTTP", () => {
    nothingIn(
      imports
        .filter(({ specifier }) => forbiddenModules.includes(specifier))
        .map((where) => complain(where, 'the engine in http1/ and net/ does this')),
    );
  });

  test('a package from outside is declared in package.json', () => {
    const manifest = JSON.parse(readFileSync(path.join(src, '../package.json'), 'utf8'));
    const declared = new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
      ...Object.keys(manifest.optionalDependencies ?? {}),
    ]);
    const complaints = imports
      .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .filter(({ specifier }) => !declared.has(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0]))
      .map((where) => complain(where, 'package.json does not list it as a dependency or a peer dependency'));
    nothingIn(complaints);
  });

  test(`no file of src/ is longer than ${longestFile} lines`, () => {
    nothingIn(
      files
        .map(({ name, text }) => ({ name, lines: text.split('\n').length - 1 }))
        .filter(({ lines }) => lines > longestFile)
        .map(
          ({ name, lines }) => `src/${name} has ${lines} lines: which concept in it wants a file of its own?`,
        ),
    );
  });

  test('no file is named by what it is not about', () => {
    nothingIn(
      files
        .filter(({ name }) => /(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.ts$)/.test(name))
        .map(({ name }) => `src/${name}: name it by its concept`),
    );
  });
});
