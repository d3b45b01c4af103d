// What a user gets from the registry: the packed files, the entries of the `exports` map, their types.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const entries: [string, { types: string; default: string }][] = Object.entries(manifest.exports).filter(
  (entry): entry is [string, { types: string; default: string }] => typeof entry[1] === 'object',
);

describe('the package', () => {
  for (const [entry, target] of entries) {
    const name = `aiohttp-ts${entry.slice(1)}`;

    test(`${name} has its types first, and both files exist`, () => {
      assert.deepEqual(Object.keys(target), ['types', 'default']);
      for (const file of Object.values(target))
        assert.ok(existsSync(path.join(root, file)), `${file} is missing`);
    });

    test(`${name} can be imported by its name, and importing it keeps no process alive`, () => {
      const program = `import(${JSON.stringify(name)}).then((module) => console.log(Object.keys(module).length))`;
      const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
        cwd: root,
        encoding: 'utf8',
        timeout: 180_000,
      });
      assert.equal(status, 0, stderr);
      assert.equal(stderr, '');
      assert.ok(Number(stdout) > 0, `${name} exports nothing`);
    });
  }

  test('classes have the names that they are exported by: the build renames none', () => {
    const program = `
      const renamed = [];
      for (const entry of ${JSON.stringify(entries.map(([entry]) => `aiohttp-ts${entry.slice(1)}`))}) {
        for (const [name, value] of Object.entries(await import(entry))) {
          if (/^class\\b/.test(Function.prototype.toString.call(typeof value === 'function' ? value : () => {})) && value.name !== name)
            renamed.push(name + ' of ' + entry + ' is called ' + value.name);
        }
      }
      console.log(renamed.join('\\n'));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    assert.equal(stdout.trim(), '');
  });

  test('every room with an index.ts that users may enter is an entry, and the other way round', () => {
    const inner = ['http1', 'message', 'net', 'websocket'];
    const rooms = readdirSync(path.join(root, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(path.join(root, 'src', entry.name, 'index.ts')))
      .map((entry) => `./${entry.name}`)
      .filter((entry) => !inner.includes(entry.slice(2)));
    assert.deepEqual(
      entries
        .map(([entry]) => entry)
        .filter((entry) => entry !== '.')
        .sort(),
      rooms.sort(),
    );
  });

  test('what begins with an underscore is in no declaration', () => {
    const dist = path.join(root, 'dist');
    const complaints = readdirSync(dist, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.d.ts') && !name.endsWith('part-encoding.d.ts')) // Node's own names
      .flatMap((name) =>
        readFileSync(path.join(dist, name), 'utf8')
          .split('\n')
          .filter((line) => /^ {4}(?:(?:static|readonly|get|set|protected) )*_[a-zA-Z]\w*[(:<]/.test(line))
          .map((line) => `${name}:${line}`),
      );
    assert.deepEqual(complaints, [], 'mark them @internal');
  });

  test('no public type is `any`', () => {
    const dist = path.join(root, 'dist');
    const complaints = readdirSync(dist, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.d.ts'))
      .flatMap((name) => {
        const code = readFileSync(path.join(dist, name), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
        const withoutStrings = code.replaceAll(/'[^'\n]*'|"[^"\n]*"/g, "''");
        return withoutStrings
          .split('\n')
          .filter((line) => /[:<|&,(]\s*any\b(?!\s*[(:?])|\bany\[\]/.test(line))
          .map((line) => `dist/${name}: ${line.trim()}`);
      });
    assert.deepEqual(complaints, []);
  });

  test('the tarball holds the built files, the licence and the documents, and nothing else', () => {
    // npm is run by its own file when a script of npm started us: there may be no `npm` in PATH for this Node.
    const npm = process.env['npm_execpath'];
    const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
    const { status, stdout, stderr } = spawnSync(
      command,
      [...args, 'pack', '--dry-run', '--json', '--ignore-scripts'],
      {
        cwd: root,
        encoding: 'utf8',
        timeout: 180_000,
      },
    );
    assert.equal(status, 0, stderr);
    const files: string[] = JSON.parse(stdout)[0].files.map((file: { path: string }) => file.path);
    const others = files.filter((file) => !file.startsWith('dist/')).sort();
    assert.deepEqual(others, ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    assert.ok(files.includes('dist/web/index.js'));
    assert.deepEqual(
      files.filter((file) => /\.test\.|tsbuildinfo/.test(file)),
      [],
    );
  });
});
