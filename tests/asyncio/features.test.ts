import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkHost } from '../../src/asyncio/features.ts';

test('a host that lacks a part is told which', () => {
  checkHost();
  assert.throws(() => checkHost({ process, setTimeout, queueMicrotask }), {
    message:
      /^aiohttp-ts\/asyncio cannot run here: FinalizationRegistry, AbortController are missing\. It needs Node\.js 20\.19/,
  });
});

test('asyncio stands alone: it imports nothing of the other folders and no package', () => {
  const folder = new URL('../../src/asyncio/', import.meta.url);
  for (const name of readdirSync(folder)) {
    for (const [, from] of readFileSync(new URL(name, folder), 'utf8').matchAll(
      /^(?:import|export)\b[\w\s{},*]*? from '([^']+)'/gm,
    )) {
      assert.match(from!, /^(\.\/|node:)/, `${name} imports ${from}`);
    }
  }
});
