// The documentation is held to what the code does: every TypeScript block compiles, those marked `run` run and print what
// they say, every link leads somewhere, every error code is listed. CONTRIBUTING.md tells how blocks are written.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { type Block, CompiledBlocks, root } from './compiled-blocks.ts';

interface DocumentedBlock extends Block {
  /** Whether it is marked to be run. */
  readonly runs: boolean;
}

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
].sort();

const blocks = documents.flatMap((document) =>
  blocksOf(document, readFileSync(path.join(root, document), 'utf8')),
);

/** A comment `<!-- with: … -->` right before a block adds declarations to it. Longer fences hold blocks that are shown, not checked. */
function blocksOf(document: string, text: string): DocumentedBlock[] {
  const shown = text.replaceAll(/^(````+)[\s\S]*?^\1$/gm, (fence) => fence.replaceAll(/[^\n]/g, ' '));
  const pattern = /(?:^<!-- with:\s*([\s\S]*?)-->\n\n?)?^```ts\b([^\n]*)\n([\s\S]*?)^```$/gm;
  return [...shown.matchAll(pattern)].map((match) => {
    const [whole, prelude = '', words = '', code = ''] = match;
    return {
      document,
      line: shown.slice(0, match.index + whole.indexOf('```ts')).split('\n').length + 1,
      runs: /\brun\b/.test(words),
      source: `${code}\nexport {};\n${prelude}`,
    };
  });
}

describe('the documentation', () => {
  const compiled = new CompiledBlocks('docs', blocks);
  after(() => compiled.remove());

  test(`its ${blocks.length} TypeScript blocks compile`, () => {
    assert.equal(compiled.complaints(), '');
  });

  for (const block of blocks.filter(({ runs }) => runs)) {
    test(`${block.document}:${block.line} runs and prints what it says`, () => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--import', 'tsx', compiled.fileOf(block)],
        {
          cwd: root,
          encoding: 'utf8',
          timeout: 180_000,
        },
      );
      assert.equal(status, 0, stderr);
      const expected = [...block.source.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line]) => line);
      if (expected.length > 0) assert.deepEqual(stdout.trimEnd().split('\n'), expected);
    });
  }

  test('every link to a file of the project leads to one', () => {
    const broken = documents.flatMap((document) => {
      const text = readFileSync(path.join(root, document), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
      return [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
        .map(([, link]) => link!)
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => !existsSync(path.join(root, path.dirname(document), link)))
        .map((link) => `${document}: ${link}`);
    });
    assert.deepEqual(broken, []);
  });

  test('docs/errors.md lists just the error codes that the source has', () => {
    // HTTP exceptions build theirs from the status: AIO_HTTP_404.
    const codes = (text: string): string[] =>
      (text.match(/\bAIO_[A-Z0-9_]*[A-Z0-9]\b/g) ?? []).filter((code) => !/^AIO_HTTP_\d/.test(code));
    const source = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => codes(readFileSync(path.join(root, 'src', name), 'utf8')));
    const listed = codes(readFileSync(path.join(root, 'docs/errors.md'), 'utf8'));
    const lacking = [...new Set(source)].filter((code) => !listed.includes(code)).sort();
    const stale = [...new Set(listed)].filter((code) => !source.includes(code)).sort();
    assert.deepEqual({ lacking, stale }, { lacking: [], stale: [] });
  });
});
