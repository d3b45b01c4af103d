import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, InterfaceError } from '../../src/sqlite/index.ts';

const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
const builtIn = major > 22 || (major === 22 && minor >= 13);

describe('drivers', () => {
  test('@photostructure/sqlite serves when it is asked for', async () => {
    await using db = await connect(':memory:', { driver: '@photostructure/sqlite' });
    assert.deepEqual(await db.fetchone('SELECT ? AS a', [1n]), { a: 1 });
  });

  test("'node:sqlite' serves where Node has it, and else says what it needs", async () => {
    if (!builtIn) {
      await assert.rejects(connect(':memory:', { driver: 'node:sqlite' }), (error) => {
        assert.ok(error instanceof InterfaceError);
        assert.equal(error.code, 'AIO_SQL_DRIVER');
        assert.match(error.message, /22\.13/);
        return true;
      });
      return;
    }
    await using db = await connect(':memory:', { driver: 'node:sqlite' });
    assert.deepEqual(await db.fetchone('SELECT ? AS a', [1n]), { a: 1 });
  });

  test('loading prints no warning, and hides no other', () => {
    const module = JSON.stringify(new URL('../../src/sqlite/index.ts', import.meta.url).href);
    const program = `const { connect } = await import(${module});
      await using db = await connect(':memory:');
      process.emitWarning('mine');`.replace('await using', 'const');
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', `${program} await db.close();`],
      { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
    );
    assert.equal(status, 0, stderr);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /experimental/i);
    assert.match(stderr, /Warning: mine/);
  });
});
