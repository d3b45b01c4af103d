// What other processes do in lock.test.ts and crash.test.ts: child.ts ROLE FILE
import { connect } from '../../src/sqlite/index.ts';

const [role, file] = process.argv.slice(2) as [string, string];
// A lock is held for as long as the test takes.
const db = await connect(file, { idleTransactionTimeout: Number.POSITIVE_INFINITY });

if (role === 'lock') {
  // Holds the lock of the writer until it is told to let go.
  await db.execute('BEGIN');
  await db.execute("INSERT INTO posts (title) VALUES ('from the other process')");
  process.send!('locked');
  process.once('message', async () => {
    await db.execute('COMMIT');
    await db.close();
    process.disconnect?.();
  });
} else if (role === 'write') {
  // Says what is committed, until it is killed.
  for (let index = 0; ; index++) {
    await db.transaction(async (tx) => {
      await tx.execute('INSERT INTO posts (title) VALUES (?)', [`a${index}`]);
      await tx.execute('INSERT INTO posts (title) VALUES (?)', [`b${index}`]);
    });
    await db.execute('INSERT INTO posts (title) VALUES (?)', [`c${index}`]);
    process.send!(index);
    if (index % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}
