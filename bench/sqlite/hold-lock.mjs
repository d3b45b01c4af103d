// hold-lock.mjs DRIVER FILE MILLISECONDS: holds the lock of the writer for a while.
import { createRequire } from 'node:module';

const [name, file, milliseconds] = process.argv.slice(2);
const { DatabaseSync } = createRequire(import.meta.url)(name);
const db = new DatabaseSync(file);
db.exec('BEGIN IMMEDIATE');
process.send('locked');
setTimeout(() => {
  db.exec('COMMIT');
  db.close();
  process.disconnect();
}, Number(milliseconds));
