import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DatabaseError,
  DataError,
  IntegrityError,
  InterfaceError,
  InternalError,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
} from '../../src/sql/index.ts';

test('every error is a DatabaseError with a name and a code', () => {
  const table = [
    [new DatabaseError('a'), 'DatabaseError', 'AIO_SQL_ERROR'],
    [new IntegrityError('a'), 'IntegrityError', 'AIO_SQL_INTEGRITY'],
    [new OperationalError('a'), 'OperationalError', 'AIO_SQL_OPERATIONAL'],
    [new ProgrammingError('a'), 'ProgrammingError', 'AIO_SQL_PROGRAMMING'],
    [new DataError('a'), 'DataError', 'AIO_SQL_DATA'],
    [new InterfaceError('a'), 'InterfaceError', 'AIO_SQL_INTERFACE'],
    [new NotSupportedError('a'), 'NotSupportedError', 'AIO_SQL_NOT_SUPPORTED'],
    [new InternalError('a'), 'InternalError', 'AIO_SQL_INTERNAL'],
  ] as const;
  for (const [error, name, code] of table) {
    assert.ok(error instanceof DatabaseError);
    assert.equal(error.name, name);
    assert.equal(error.code, code);
    assert.equal('cause' in error, false);
  }
});

test('an error keeps the statement, the code of the database and its cause', () => {
  const cause = new Error('driver');
  const error = new IntegrityError('taken', 'unique', {
    statement: 'INSERT',
    sqliteCode: 2067,
    sqlstate: '23505',
    code: 'AIO_SQL_OTHER',
    cause,
  });
  assert.deepEqual(
    [error.constraint, error.statement, error.sqliteCode, error.sqlstate, error.code, error.cause],
    ['unique', 'INSERT', 2067, '23505', 'AIO_SQL_OTHER', cause],
  );
});
