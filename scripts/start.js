// npm start [-- --host H --port P --data DIR]: installs and builds what is missing, then serves examples/notes/: a small site with
// an embedded database. DATABASE_URL and REDIS_URL give it servers to keep its notes and sessions in.

import { runExample } from './example.js';

await runExample('notes/main', process.argv.slice(2));
