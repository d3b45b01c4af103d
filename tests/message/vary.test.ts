import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addVary, CIMultiDict } from '../../src/message/index.ts';

test('addVary', () => {
  for (const [before, after] of [
    [[], 'Accept-Encoding'],
    [['Origin'], 'Origin, Accept-Encoding'],
    [['Origin', 'Cookie'], 'Origin, Cookie, Accept-Encoding'],
    [['accept-encoding'], 'accept-encoding'],
    [['Origin, ACCEPT-ENCODING'], 'Origin, ACCEPT-ENCODING'],
    [['*'], '*'],
    [['X-Accept-Encoding'], 'X-Accept-Encoding, Accept-Encoding'],
  ] as const) {
    const headers = new CIMultiDict(before.map((value) => ['Vary', value] as const));
    addVary(headers, 'Accept-Encoding');
    assert.equal(headers.getAll('Vary').join(', '), after);
  }
});
