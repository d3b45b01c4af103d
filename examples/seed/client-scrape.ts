// Six pages at once, each written to a file: client-scrape.ts [BASE_URL [NUMBER…]] [--out DIR] [--timeout MS]
//
// Says which pages failed and why, and exits with 1 then. A file is there whole or not at all.

import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type ClientResponse, ClientSession, type Progress } from 'aiohttp-ts';
import * as asyncio from 'aiohttp-ts/asyncio';
import { ProgressBars } from '../progress-bars.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, timeout: { type: 'string' } },
});
const [baseUrl = 'https://www.python.org/dev/peps/', ...numbers] = positionals;
const pages = numbers.length > 0 ? numbers : ['8010', '8011', '8012', '8013', '8014', '8015'];
const directory = values.out ?? '.';
const total = Number(values.timeout ?? 60_000);

const bars = new ProgressBars(process.stderr, pages);

async function downloadPep(session: ClientSession, pepNumber: string): Promise<string> {
  console.log(`Begin downloading pep-${pepNumber}`);
  await using response = await session.get(`pep-${pepNumber}/`, {
    onDownloadProgress: (progress: Progress) => bars.update(pepNumber, progress),
  });
  const filename = await writeToFile(pepNumber, response);
  console.log(`Finished writing ${filename}`);
  return filename;
}

async function writeToFile(pepNumber: string, response: ClientResponse): Promise<string> {
  const filename = `async_${pepNumber}.html`;
  const temporary = path.join(directory, `${filename}.${process.pid}.part`);
  const file = await open(temporary, 'wx');
  try {
    for await (const piece of response.content) await file.writeFile(piece);
    await file.close();
    await rename(temporary, path.join(directory, filename));
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
  return filename;
}

async function main(): Promise<void> {
  await using session = new ClientSession({ baseUrl, raiseForStatus: true, timeout: { total } });
  const results = await asyncio.gather(
    pages.map((page) => downloadPep(session, page)),
    { returnExceptions: true },
  );
  bars.end();
  for (const [index, result] of results.entries()) {
    if (!(result instanceof Error)) continue;
    console.error(`pep-${pages[index]} failed: ${result.name}: ${result.message}`);
    process.exitCode = 1;
  }
}

const started = performance.now();
await asyncio.run(main);
console.log(`Execution time: ${((performance.now() - started) / 1000).toFixed(2)} seconds.`);
