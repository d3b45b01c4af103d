import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CompiledLoader, type CompiledModule, Environment } from '../../src/jinja2/index.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'aiohttp-ts-jinja2-'));
after(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', main, 'jinja2', ...args], {
    encoding: 'utf8',
    timeout: 180_000,
  });
}

function templates(name: string, files: Readonly<Record<string, string>>): string {
  const root = path.join(folder, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  return root;
}

describe('aiohttp-ts jinja2 compile', () => {
  test('writes a module that renders without compiling', async () => {
    const from = templates('good', {
      'base.html': '<h1>{% block title %}{% endblock %}</h1>',
      'mail/note.html': '{% extends "base.html" %}{% block title %}{{ who }}{% endblock %}',
      'notes.md': 'not a template {{',
    });
    const output = path.join(folder, 'good.mjs');
    const { status, stdout, stderr } = run('compile', from, '-o', output, '--ending', 'html', '--stream');
    assert.deepEqual(
      { status, stdout, stderr },
      { status: 0, stdout: '', stderr: `${output}: 2 templates\n` },
    );
    const compiled = (await import(pathToFileURL(output).href)) as CompiledModule;
    const template = new Environment({ loader: new CompiledLoader(compiled) }).getTemplate('mail/note.html');
    assert.equal(template.render({ who: '<you>' }), '<h1>&lt;you&gt;</h1>');
    assert.equal([...template.generate({ who: 'x' })].join(''), '<h1>x</h1>');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.part')),
      [],
    );
  });

  test('shows the line of a mistake and writes nothing', () => {
    const from = templates('bad', { 'page.html': 'a\n{% if %}' });
    const output = path.join(folder, 'bad.mjs');
    const { status, stderr } = run('compile', from, '-o', output);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^TemplateSyntaxError: .*\n {2}in template '.*page\.html', line 2, column 7\n {2}2 \| \{% if %\}\n/,
    );
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.throws(() => readFileSync(output));
  });

  test('explains itself when the command line is wrong', () => {
    for (const args of [
      [],
      ['compile'],
      ['compile', folder],
      ['render', folder, '-o', 'x'],
      ['compile', '--nope'],
    ]) {
      const { status, stderr } = run(...args);
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, /Usage: aiohttp-ts jinja2 compile DIR -o OUT/);
    }
  });

  test('a folder that is not there', () => {
    const { status, stderr } = run('compile', path.join(folder, 'nowhere'), '-o', path.join(folder, 'x.mjs'));
    assert.equal(status, 1);
    assert.match(stderr, /ENOENT/);
  });
});
