import type { web } from '../../src/index.ts';

/** A logger that keeps what it is told. */
export interface CollectingLogger extends web.Logger {
  readonly infos: string[];
  readonly warnings: string[];
  readonly errors: string[];
}

export function collectingLogger(): CollectingLogger {
  const infos: string[] = [];
  const warnings: string[] = [];
  const errors: string[] = [];
  return {
    infos,
    warnings,
    errors,
    info: (message) => void infos.push(message),
    warn: (message) => void warnings.push(message),
    error: (message) => void errors.push(message),
  };
}
