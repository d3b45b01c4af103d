// npm run bench -- router [--rounds N] [--milliseconds N] [--out DIR] [--check]
//
// Our router against find-my-way (Fastify's) on the routes of GitHub's API. Both get what their server gives them: the encoded path, a
// fresh string for each request; both return the handler and the decoded parameters. Rounds are interleaved, and only the
// ratio of one run counts.
//
// --check   only sees that everything runs: one short round, nothing is written

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UrlDispatcher } from 'aiohttp-ts/web';
import findMyWay from 'find-my-way';
import { describeMachine } from '../machine.ts';
import { figure, type Summary, summarize } from '../statistics.ts';
import { type ApiRoute, apiRoutes, requestPath } from './routes.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
    check: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.check ? 1 : 9));
const milliseconds = Number(options.milliseconds ?? (options.check ? 5 : 200));
if (!(rounds >= 1 && milliseconds > 0)) throw new RangeError('--rounds and --milliseconds must be positive');

interface Request {
  readonly method: string;
  readonly path: string;
}

/** Looks up all requests once; returns how many had a route. */
type Contender = (requests: readonly Request[]) => number;

function handler(): never {
  throw new Error('handlers are not called here');
}

function ours(routes: readonly ApiRoute[]): Contender {
  const router = new UrlDispatcher();
  for (const { method, path: pattern } of routes) router.addRoute(method, pattern, handler);
  router.freeze();
  // A server has an object for the request anyway.
  const looked = { method: '', routePath: '', host: undefined };
  return (requests) => {
    let found = 0;
    for (const request of requests) {
      const target = freshString(request.path);
      // What request.routePath does before it calls the router.
      looked.routePath = target.includes('%') ? decodeURIComponent(target) : target;
      looked.method = request.method;
      const match = router.resolve(looked);
      if (match.route !== router.systemRoute && match.params !== undefined) found++;
    }
    return found;
  };
}

function theirs(routes: readonly ApiRoute[]): Contender {
  const router = findMyWay();
  for (const { method, path: pattern } of routes) {
    router.on(method as findMyWay.HTTPMethod, pattern.replace(/\{(\w+)\}/g, ':$1'), handler);
  }
  return (requests) => {
    let found = 0;
    for (const request of requests) {
      const target = freshString(request.path);
      const match = router.find(request.method as findMyWay.HTTPMethod, target);
      if (match?.params !== undefined) found++;
    }
    return found;
  };
}

const bytes = Buffer.alloc(256);

/** A flat string whose hash nobody has computed yet, as it comes from a socket. */
function freshString(text: string): string {
  const length = bytes.write(text, 'latin1');
  return bytes.toString('latin1', 0, length);
}

/** The cost of {@link freshString} alone: it is in both figures. */
const overhead: Contender = (requests) => {
  let sum = 0;
  for (const request of requests) if (freshString(request.path).length > 0) sum++;
  return sum;
};

const all = apiRoutes.map(({ method, path: pattern }) => ({ method, path: requestPath(pattern), pattern }));
const scenarios: readonly { readonly name: string; readonly requests: readonly Request[] }[] = [
  { name: 'all routes, in turn', requests: all },
  { name: 'without parameters', requests: all.filter(({ pattern }) => !pattern.includes('{')) },
  { name: 'one parameter', requests: all.filter(({ pattern }) => count(pattern) === 1) },
  { name: 'two parameters', requests: all.filter(({ pattern }) => count(pattern) === 2) },
  { name: 'three and four', requests: all.filter(({ pattern }) => count(pattern) >= 3) },
];
const contenders = { 'aiohttp-ts': ours(apiRoutes), 'find-my-way': theirs(apiRoutes), overhead };

function count(pattern: string): number {
  return pattern.split('{').length - 1;
}

/** CPU nanoseconds for each look-up. */
function measure(contender: Contender, requests: readonly Request[]): number {
  const end = performance.now() + milliseconds;
  let lookUps = 0;
  const start = process.cpuUsage();
  do {
    for (let turn = 0; turn < 10; turn++) {
      if (contender(requests) !== requests.length) throw new Error('a route was not found');
    }
    lookUps += 10 * requests.length;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1_000) / lookUps;
}

interface Line {
  readonly scenario: string;
  readonly figures: Readonly<Record<string, Summary>>;
  readonly ratio: number;
}

// All are compiled for all routes before anything is measured.
for (let turn = 0; turn < 3; turn++)
  for (const contender of Object.values(contenders)) measure(contender, all);

const lines: Line[] = [];
for (const { name, requests } of scenarios) {
  const figures: Record<string, number[]> = {};
  for (let round = -1; round < rounds; round++) {
    for (const [label, contender] of Object.entries(contenders)) {
      const value = measure(contender, requests);
      if (round >= 0) (figures[label] ??= []).push(value);
    }
  }
  const summaries = Object.fromEntries(
    Object.entries(figures).map(([label, values]) => [label, summarize(values)]),
  );
  const ratio = summaries['aiohttp-ts']!.median / summaries['find-my-way']!.median;
  lines.push({ scenario: name, figures: summaries, ratio });
  const shown = Object.entries(summaries).map(([label, { median }]) => `${label} ${figure(median)} ns`);
  console.log(`${name.padEnd(22)} ${shown.join(', ')}: ${figure(ratio)} of find-my-way`);
}

if (!options.check) {
  const version = process.versions.node;
  const file = path.join(options.out, `router-node${version.split('.')[0]}.json`);
  mkdirSync(options.out, { recursive: true });
  const command = `npm run bench -- router --rounds ${rounds} --milliseconds ${milliseconds}`;
  const report = { machine: describeMachine(version), command, routes: apiRoutes.length, lines };
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(`written: ${path.relative(process.cwd(), file)}`);
}
