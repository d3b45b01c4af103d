import {
  type ConstraintKind,
  DatabaseError,
  DataError,
  IntegrityError,
  InternalError,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
} from '../sql/index.ts';

/** What is read of an error that the server sent. */
interface ServerError {
  readonly message: string;
  readonly severity: string;
  readonly code: string;
}

/** Whether the server said it, and not the socket or the driver. */
export function isServerError(error: unknown): error is ServerError & Error {
  return error instanceof Error && 'severity' in error && 'code' in error;
}

/** Whether the server ends the connection after this error. */
export function endsConnection(error: Error): boolean {
  return isServerError(error) && (error.severity === 'FATAL' || error.severity === 'PANIC');
}

const constraints: Readonly<Record<string, ConstraintKind>> = {
  '23502': 'not null',
  '23503': 'foreign key',
  '23505': 'unique',
  '23514': 'check',
  '23P01': 'exclusion',
};

/** Classes of SQLSTATE whose fault is the statement's, as PostgreSQL Appendix A groups them. */
const programming = new Set(['07', '25', '26', '2D', '34', '0L', '0P']);
/** 42, a syntax error or something that is not there, is here because SQLite's is: what catches it serves both. */
const operational = new Set(['28', '3B', '3D', '3F', '40', '42', '53', '55', '57', '58', 'F0']);

/**
 * An error of ours for one of `pg`. Values that the message quotes are left out, and so are its DETAIL and its cause, which hold whole rows: logs are no
 * place for what users typed.
 */
export function toDatabaseError(error: unknown, statement: string | undefined): Error {
  if (error instanceof DatabaseError) return error;
  if (!(error instanceof Error)) return new OperationalError(String(error), { statement });
  if (!isServerError(error)) {
    const systemCode = (error as { code?: unknown }).code;
    const reason =
      typeof systemCode === 'string' && !error.message.includes(systemCode) ? ` (${systemCode})` : '';
    const message = error.message === '' ? firstOf(error) : error.message;
    return new OperationalError(`no connection to PostgreSQL: ${message}${reason}`, {
      code: 'AIO_SQL_CONNECTION',
      statement,
    });
  }
  const { code: sqlstate } = error;
  const message = withoutValues(error.message, sqlstate);
  const options = { statement, sqlstate };
  const kind = sqlstate.slice(0, 2);
  if (kind === '23') return new IntegrityError(message, constraints[sqlstate] ?? 'other', options);
  // Of class 08, the only one that a statement can cause: it was given the wrong number of values.
  if (sqlstate === '08P01') return new ProgrammingError(message, { ...options, code: 'AIO_SQL_PARAMETERS' });
  if (sqlstate === '40001' || sqlstate === '40P01' || sqlstate === '55P03') {
    return new OperationalError(message, { ...options, code: 'AIO_SQL_BUSY' });
  }
  if (kind === '08' || sqlstate.startsWith('57P')) {
    return new OperationalError(message, { ...options, code: 'AIO_SQL_CONNECTION' });
  }
  if (kind === '22') return new DataError(message, options);
  if (kind === '0A') return new NotSupportedError(message, options);
  if (kind === 'XX') return new InternalError(message, options);
  if (programming.has(kind)) return new ProgrammingError(message, options);
  if (operational.has(kind)) return new OperationalError(message, options);
  return new DatabaseError(message, options);
}

/** The errors of a connection that was tried at several addresses. */
function firstOf(error: Error): string {
  const { errors } = error as { errors?: unknown };
  const first = Array.isArray(errors) ? (errors[0] as unknown) : undefined;
  return first instanceof Error ? first.message : error.name;
}

/** Errors about data (class 22) and P0001 (RAISE) quote it; those about names quote names. */
function withoutValues(message: string, sqlstate: string): string {
  return sqlstate.startsWith('22') ? message.replace(/"[\s\S]*"/, '"…"') : message;
}
