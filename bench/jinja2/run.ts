// npm run bench -- jinja2 [--rounds N] [--milliseconds N] [--rows N] [--out DIR] [--check]
//
// CPU of one page from a compiled, cached template, against engines whose templates are JavaScript (eta, vento, edge) and against nunjucks,
// whose language is nearest to Jinja2's. Rounds are interleaved, and only the ratios of one run count.
//
// --check   only sees that all engines make the same page: one short round, nothing is written

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { figure, summarize } from '../statistics.ts';
import { engines, pageVariables, type Render } from './engines.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    rows: { type: 'string', default: '50' },
    out: { type: 'string', default: fileURLToPath(new URL('../results', import.meta.url)) },
    check: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.check ? 1 : 11));
const milliseconds = Number(options.milliseconds ?? (options.check ? 5 : 200));
const rows = Number(options.rows);
if (!(rounds >= 1 && milliseconds > 0 && rows >= 0)) {
  throw new RangeError('--rounds and --milliseconds must be positive, --rows not negative');
}

const variables = pageVariables(rows);
const contenders = engines();

/** A page without what engines may write in several ways: references, and white space between tags. */
function even(page: string): string {
  return page.replaceAll('&quot;', '&#34;').replaceAll(/>\s+</g, '><').trim();
}

/** CPU microseconds for one page. */
async function measure(render: Render): Promise<number> {
  const end = performance.now() + milliseconds;
  let pages = 0;
  const start = process.cpuUsage();
  do {
    for (let turn = 0; turn < 20; turn++) {
      const page = render(variables);
      // Engines that give strings are not made to wait for a promise.
      if (typeof page !== 'string') await page;
    }
    pages += 20;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / pages;
}

const pages = new Map<string, string>();
for (const [name, render] of contenders) pages.set(name, even(await render(variables)));
const expected = pages.get('aiohttp-ts')!;
for (const [name, page] of pages) {
  if (page !== expected)
    throw new Error(
      `${name} makes another page:\n${page.slice(0, 400)}\ninstead of\n${expected.slice(0, 400)}`,
    );
}

const figures = new Map<string, number[]>([...contenders.keys()].map((name) => [name, []]));
// The first rounds compile.
for (let round = options.check ? 0 : -3; round < rounds; round++) {
  for (const [name, render] of contenders) {
    const value = await measure(render);
    if (round >= 0) figures.get(name)!.push(value);
  }
}

const lines = [...figures].map(([engine, values]) => ({ engine, microseconds: summarize(values) }));
const own = lines[0]!.microseconds.median;
for (const { engine, microseconds } of lines) {
  const { median, lowest, highest } = microseconds;
  const spread = `${figure(lowest)} to ${figure(highest)}`;
  const ratio = engine === 'aiohttp-ts' ? '' : `: we take ${figure(own / median)} of it`;
  console.log(`${engine.padEnd(12)} ${figure(median)} µs of CPU a page (${spread})${ratio}`);
}

if (!options.check) {
  const version = process.versions.node;
  const file = path.join(options.out, `jinja2-node${version.split('.')[0]}.json`);
  mkdirSync(options.out, { recursive: true });
  const command = `npm run bench -- jinja2 --rounds ${rounds} --milliseconds ${milliseconds} --rows ${rows}`;
  writeFileSync(
    file,
    `${JSON.stringify({ machine: describeMachine(version), command, lines }, undefined, 2)}\n`,
  );
  console.log(`written: ${path.relative(process.cwd(), file)}`);
}
