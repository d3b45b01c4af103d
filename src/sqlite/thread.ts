// The program of a thread that holds one connection to the database.

import { parentPort, workerData } from 'node:worker_threads';
import { Engine, EngineError } from './engine.ts';
import { failureOf } from './failures.ts';
import type { Answer, Call, NumberedCall, ThreadData, Value } from './thread-protocol.ts';

const port = parentPort!;

function failed(id: number, error: unknown): Answer {
  return { id, failure: error instanceof EngineError ? error.failure : failureOf(error, false) };
}

function start(): Engine | undefined {
  try {
    const { options, stop } = workerData as ThreadData;
    const engine = new Engine(options, () => Atomics.load(stop, 0) !== 0);
    port.postMessage([{ id: 0, value: undefined }] satisfies Answer[]);
    return engine;
  } catch (error) {
    port.postMessage([failed(0, error)] satisfies Answer[]);
    return undefined;
  }
}

function run(engine: Engine, call: Exclude<Call, { op: 'backup' }>): Value {
  switch (call.op) {
    case 'query':
      return engine.queryText(call.text, call.values, call.take);
    case 'many':
      return engine.many(call.text, call.list);
    case 'fetch':
      return engine.fetch(call.cursor, call.count);
    case 'closeCursor':
      engine.closeCursor(call.cursor);
      return undefined;
    case 'inTransaction':
      return engine.inTransaction();
    case 'close':
      engine.close();
      return undefined;
  }
}

function backUp(engine: Engine, id: number, path: string, pages: number): void {
  engine
    .backup(path, pages, (remaining, total) => {
      port.postMessage([{ id, remaining, total }] satisfies Answer[]);
    })
    .then(
      () => port.postMessage([{ id, value: undefined }] satisfies Answer[]),
      (error: unknown) => port.postMessage([failed(id, error)] satisfies Answer[]),
    );
}

const engine = start();

if (engine !== undefined) {
  port.on('message', (calls: readonly NumberedCall[]) => {
    const answers: Answer[] = [];
    for (const { id, call } of calls) {
      try {
        if (call.op === 'backup') backUp(engine, id, call.path, call.pages);
        else answers.push({ id, value: run(engine, call) });
      } catch (error) {
        answers.push(failed(id, error));
      }
    }
    port.postMessage(answers);
  });
}
