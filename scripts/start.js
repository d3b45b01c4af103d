// npm start [-- --host H --port P]: installs and builds what is missing, then serves an example to play with.

import { runExample } from './example.js';
import { say } from './project.js';

const args = process.argv.slice(2);
const port = args.includes('--port') ? args[args.indexOf('--port') + 1] : '8080';

say(`Serving examples/seed/server-params.ts. Try, from another terminal or a browser:
  http://127.0.0.1:${port}/
  http://127.0.0.1:${port}/student
  http://127.0.0.1:${port}/student?page=2
Ctrl-C ends it.
`);
await runExample('seed/server-params', args);
