import { parseArgs } from 'node:util';

/** Options of `runApp` that an example's command line gives. */
export interface Options {
  readonly host?: string;
  readonly port?: number;
  readonly print: (message: string) => void;
}

/**
 * Reads `--host` and `--port`, which all examples know; each may have more. What is left out is up to `runApp`. The example says
 * `listening` when it does: that is the word which people and programs wait for.
 */
export function fromCommandLine(): Options {
  const { values } = parseArgs({
    options: { host: { type: 'string' }, port: { type: 'string' } },
    strict: false,
  });
  const { host, port } = values;
  return {
    ...(typeof host === 'string' && { host }),
    ...(typeof port === 'string' && { port: Number(port) }),
    print: (message) => console.log(message.replace('Running', 'listening')),
  };
}
