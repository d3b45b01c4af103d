import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planOf, statementsOf } from '../../src/sqlite/plan.ts';

describe('a statement is looked at before it runs', () => {
  const kinds: readonly (readonly [string, string, boolean])[] = [
    ['SELECT 1', 'read', true],
    [' -- comment\n /* another; */ select 1;', 'read', true],
    ['VALUES (1), (2)', 'read', true],
    ['EXPLAIN QUERY PLAN DELETE FROM a', 'read', true],
    ['WITH a AS (SELECT 1) SELECT * FROM a', 'read', true],
    ['WITH a AS (DELETE FROM x) SELECT 1', 'read', true],
    ['WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a', 'write', false],
    ['WITH RECURSIVE a(x) AS (VALUES(1) UNION SELECT 2) UPDATE b SET c = 1', 'write', false],
    ['insert into a values (1)', 'write', false],
    ["INSERT INTO a VALUES ('RETURNING')", 'write', false],
    ['INSERT INTO a VALUES (1) RETURNING id', 'write', true],
    ['UPDATE a SET b = (SELECT 1) returning *', 'write', true],
    ['DELETE FROM "returning"', 'write', false],
    ['REPLACE INTO a VALUES (1)', 'write', false],
    ['CREATE TABLE a (b)', 'schema', false],
    ['CREATE TEMP TABLE a (b)', 'local', false],
    ["ATTACH 'x' AS y", 'local', false],
    ['PRAGMA user_version', 'pragma', true],
    ['BEGIN', 'begin', false],
    ['begin immediate transaction;', 'begin', false],
    ['COMMIT', 'commit', false],
    ['END TRANSACTION', 'commit', false],
    ['ROLLBACK', 'rollback', false],
    ['ROLLBACK TO a', 'savepoint', false],
    ['SAVEPOINT a', 'savepoint', false],
    ['RELEASE a', 'savepoint', false],
    ['VACUUM', 'other', false],
  ];
  for (const [text, kind, rows] of kinds) {
    test(text, () => {
      const plan = planOf(text);
      assert.deepEqual([plan.kind, plan.rows], [kind, rows]);
    });
  }

  test('what only the writing connection knows is asked there', () => {
    assert.equal(planOf('SELECT last_insert_rowid()').onWriter, true);
    assert.equal(planOf('SELECT changes() AS n').onWriter, true);
    assert.equal(planOf("SELECT 'changes'").onWriter, false);
  });

  test('a star for columns is not a multiplication, nor count(*)', () => {
    for (const text of [
      'SELECT * FROM a',
      'SELECT a.* FROM a',
      'SELECT 1, * FROM a',
      'DELETE FROM a RETURNING *',
    ]) {
      assert.equal(planOf(text).star, true, text);
    }
    for (const text of ['SELECT 2 * 3', 'SELECT count(*) FROM a', "SELECT '*'"]) {
      assert.equal(planOf(text).star, false, text);
    }
  });

  const placeholders: readonly (readonly [string, number, readonly string[]])[] = [
    ['SELECT ?, ?', 2, []],
    ['SELECT ?2, ?1, ?2', 2, []],
    ['SELECT \'?\', "?", `?`, [?] -- ?\n /* ? */, ?', 1, []],
    ['SELECT :a, @b, $c, :a', 0, [':a', '@b', '$c']],
    ["SELECT ':a', a.b, 'it''s ?', :ü", 0, [':ü']],
    ["SELECT x'3F', 1.5e3, a->>'$.b'", 0, []],
    ["SELECT 'open ?", 0, []],
  ];
  for (const [text, count, names] of placeholders) {
    test(`placeholders of ${text}`, () => {
      const plan = planOf(text);
      assert.deepEqual([plan.count, plan.names], [count, names]);
    });
  }

  test('placeholders of two kinds, several statements and none are refused', () => {
    for (const text of ['SELECT ?, :a', 'SELECT ?, ?1', 'SELECT 1; SELECT 2', '', '  -- nothing', ';']) {
      assert.throws(() => planOf(text), { name: 'ProgrammingError' }, text);
    }
    assert.equal(planOf(';; SELECT 1;;; -- end').kind, 'read');
  });

  test('a script is split where its statements end', () => {
    const script = `CREATE TABLE a (b); -- one; two
      INSERT INTO a VALUES ('x;y');;
      CREATE TRIGGER t AFTER INSERT ON a BEGIN
        UPDATE a SET b = CASE WHEN b THEN 1 ELSE 2 END;
        DELETE FROM a;
      END;
      SELECT ";" FROM a`;
    assert.deepEqual(
      statementsOf(script).map((text) => text.slice(0, 14)),
      ['CREATE TABLE a', 'INSERT INTO a ', 'CREATE TRIGGER', 'SELECT ";" FRO'],
    );
    assert.match(statementsOf(script)[2]!, /END$/);
  });
});
