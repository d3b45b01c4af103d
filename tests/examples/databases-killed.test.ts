// The seed's programs that keep a database, killed in the middle of their work.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { holding, post, repository, rows } from './post-programs.ts';
import { RunningExample } from './running-example.ts';

describe('a program that is killed', () => {
  for (const name of holding) {
    test(`seed/${name} loses nothing that was answered`, async (t) => {
      const { inside, file } = await repository(t);
      const example = await RunningExample.start(`examples/seed/${name}.ts`, '--root', inside);
      const answered = new Map<number, string>();
      let killed = false;
      const client = async (n: number): Promise<void> => {
        for (let i = 0; ; i++) {
          const title = `${n}-${i}`;
          const answer = await post(example, { title, text: '' }).catch(() => undefined);
          if (answer === undefined) return;
          assert.equal(answer.status, 200);
          answered.set(answer.body.new_post!, title);
          if (answered.size >= 150 && !killed) {
            killed = true;
            void example.kill();
          }
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, n) => client(n)));
      await example.kill();
      const found = new Map((await rows(file)).map(({ id, title }) => [id, title]));
      for (const [id, title] of answered) assert.equal(found.get(id), title);
      assert.equal(new Set(found.values()).size, found.size);
      assert.ok(found.size <= answered.size + 16, `${found.size} rows for ${answered.size} answers`);
    });
  }
});
