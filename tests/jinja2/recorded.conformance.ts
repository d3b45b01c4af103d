import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Request, renderRequest } from '../../conformance/templates.ts';
import { differences } from './recorded-differences.ts';

interface Case extends Request {
  readonly id: string;
  readonly output?: string;
  readonly error?: string;
  readonly message?: string;
  readonly line?: number | null;
}

const file = new URL('../../../shared/testdata/jinja.json', import.meta.url);

if (!existsSync(file)) console.log('the recorded renders of Jinja2 were left out: their file is not here');
else {
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] };
  describe('renders recorded with Jinja2', () => {
    for (const recorded of cases) {
      const reason = differences[recorded.id];
      test(recorded.id, reason === undefined ? {} : { skip: reason }, () => {
        const answer = renderRequest(recorded);
        if (recorded.output !== undefined) assert.deepEqual(answer, { ok: true, output: recorded.output });
        else {
          assert.deepEqual(answer, {
            ok: false,
            error: recorded.error,
            message: recorded.message,
            line: recorded.line ?? null,
          });
        }
      });
    }
  });
}
