import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { applyChanges } from '../../src/session/changes.ts';
import { formatRecord, parseRecord, type SessionRecord } from '../../src/session/record.ts';
import { Session } from '../../src/session/session.ts';

const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'toString');
const value = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.constant(null),
  fc.array(fc.integer(), { maxLength: 3 }),
);
const data = fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true });

/** What a handler may do with one key. */
type Step = { readonly key: string } & (
  | { readonly kind: 'set'; readonly value: unknown }
  | { readonly kind: 'delete' | 'get' | 'nested' | 'append' | 'empty' }
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ key, kind: fc.constant('set' as const), value }),
  fc.record({ key, kind: fc.constantFrom('delete', 'get', 'nested', 'append', 'empty') }),
);

function recordOf(content: Record<string, unknown>): SessionRecord {
  const text = formatRecord({
    created: 1_000_000,
    data: new Map(Object.entries(content)),
    user: undefined,
    epoch: undefined,
    maxAge: undefined,
    issued: undefined,
  });
  return parseRecord(text)!;
}

function sessionOf(record: SessionRecord): Session {
  return new Session('x'.repeat(43), record, { key: 'k', version: '1', expiresIn: 1000 }, false, false);
}

function take(session: Session, one: Step): void {
  switch (one.kind) {
    case 'set':
      session.set(one.key, one.value);
      break;
    case 'delete':
      session.delete(one.key);
      break;
    case 'get':
      session.get(one.key);
      break;
    case 'nested': {
      const list = session.get(one.key);
      if (Array.isArray(list)) list.push('nested');
      break;
    }
    case 'append':
      session.update(one.key, (list) => [...(Array.isArray(list) ? list : []), 'appended']);
      break;
    case 'empty':
      session.update(one.key, () => undefined);
      break;
  }
}

const plain = (content: ReadonlyMap<string, unknown>): unknown =>
  JSON.parse(JSON.stringify([...content].sort(([one], [other]) => (one < other ? -1 : 1))));

describe('the changes of a request', () => {
  test('done to what it has read, they give what it sees', () => {
    fc.assert(
      fc.property(data, fc.array(step, { maxLength: 8 }), (content, steps) => {
        const session = sessionOf(recordOf(content));
        for (const one of steps) take(session, one);
        const changes = session._changes();
        // Read again: nothing of the first reading may have been changed by it.
        const again = recordOf(content);
        const after = changes === undefined ? again : applyChanges(again, changes);
        assert.deepEqual(plain(after.data), plain(session._current(changes).data));
      }),
      { seed: 11, numRuns: 2000 },
    );
  });

  test('done to a newer version, they touch the keys that they changed only, and updates run on the newer value', () => {
    fc.assert(
      fc.property(data, data, fc.array(step, { maxLength: 6 }), (content, newer, steps) => {
        const session = sessionOf(recordOf(content));
        for (const one of steps) take(session, one);
        const changes = session._changes();
        if (changes === undefined) return;
        const after = applyChanges(recordOf(newer), changes).data;
        const touched = new Set([...changes.set.keys(), ...changes.removed, ...changes.updates.keys()]);
        for (const [name, there] of Object.entries(newer)) {
          if (!touched.has(name)) assert.deepEqual(after.get(name), there);
        }
        for (const [name, set] of changes.set) assert.deepEqual(after.get(name), set);
        for (const name of changes.removed) assert.equal(after.has(name), false);
        for (const [name, updates] of changes.updates) {
          const expected = updates.reduce(
            (now: unknown, update) => update(now),
            new Map(Object.entries(newer)).get(name),
          );
          assert.deepEqual(after.get(name), expected);
        }
      }),
      { seed: 12, numRuns: 2000 },
    );
  });

  test('saved in the middle of a request, the next ones are told from there', () => {
    fc.assert(
      fc.property(
        data,
        fc.array(step, { maxLength: 5 }),
        fc.array(step, { maxLength: 5 }),
        (content, first, second) => {
          const session = sessionOf(recordOf(content));
          for (const one of first) take(session, one);
          const stored = recordOf(Object.fromEntries(session._current(session._changes()).data));
          session._saved('x'.repeat(43), stored, { key: 'k', version: '2', expiresIn: 1000 });
          assert.equal(session._changes(), undefined);
          for (const one of second) take(session, one);
          const changes = session._changes();
          const again = recordOf(Object.fromEntries(stored.data));
          const after = changes === undefined ? again : applyChanges(again, changes);
          assert.deepEqual(plain(after.data), plain(session._current(changes).data));
        },
      ),
      { seed: 13, numRuns: 2000 },
    );
  });
});

describe('records', () => {
  test('any text that is none is refused, any that is one comes back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const record = parseRecord(text);
        if (record !== undefined) assert.deepEqual(parseRecord(formatRecord(record)), record);
      }),
      { seed: 14, numRuns: 2000 },
    );
    fc.assert(
      fc.property(data, (content) => {
        assert.deepEqual([...recordOf(content).data], Object.entries(content));
      }),
      { seed: 15, numRuns: 500 },
    );
  });
});
