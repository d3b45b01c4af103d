// TypeScript that stands in documentation is checked by the compiler, all pieces in one run.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** A piece of TypeScript somewhere in a document or a comment. */
export interface Block {
  /** The document, relative to the project. */
  readonly document: string;
  /** Line of the document on which `source` begins. */
  readonly line: number;
  /** A whole module, whose lines correspond to those of the document. */
  readonly source: string;
}

/** A folder of the project that holds one file per block, so that they import the package by its name. */
export class CompiledBlocks {
  readonly #folder: string;
  readonly #blocks = new Map<string, Block>();

  constructor(name: string, blocks: readonly Block[]) {
    this.#folder = path.join(root, '.cache', `${name}-${process.pid}`);
    mkdirSync(this.#folder, { recursive: true });
    for (const block of blocks) {
      const file = `${block.document.replaceAll(/[^\w]/g, '-')}-${block.line}.ts`;
      this.#blocks.set(file, block);
      writeFileSync(path.join(this.#folder, file), block.source);
    }
  }

  /** The file that holds a block. */
  fileOf(block: Block): string {
    const [name] = [...this.#blocks].find(([, other]) => other === block) ?? [];
    if (name === undefined) throw new RangeError(`no block at ${block.document}:${block.line}`);
    return path.join(this.#folder, name);
  }

  /** What the compiler complains about, with places in the documents; empty when nothing. */
  complaints(): string {
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: {
        noUnusedLocals: false,
        noUnusedParameters: false,
        noImplicitReturns: false,
        rootDir: '../..',
      },
      include: ['*.ts'],
    };
    writeFileSync(path.join(this.#folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
      cwd: this.#folder,
      encoding: 'utf8',
      timeout: 180_000,
    });
    if (status === 0) return '';
    return (stdout + stderr).replace(
      /^(?:.*\/)?([\w-]+\.ts)\((\d+),/gm,
      (place, name: string, line: string) => {
        const block = this.#blocks.get(name);
        return block === undefined ? place : `${block.document}(${block.line + Number(line) - 1},`;
      },
    );
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
