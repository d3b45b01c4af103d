import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Page } from 'playwright-core';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Longest wait for the browser, and for anything on a page; only to end a test that would hang. */
const PATIENCE = 120_000;

/**
 * Opens an empty page in Debian's Chromium, without anything that it fetches by itself, and closes the browser when `use` is done. An error of the
 * page's own scripts fails it.
 *
 * @throws Error when there is no Chromium, in one line that says what to do
 */
export async function withBrowser<T>(use: (page: Page) => Promise<T>): Promise<T> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no ${executablePath}: install it (Debian: apt-get install chromium), or set CHROMIUM to where it is`,
    );
  }
  // A profile of its own: nothing is left from earlier runs, and nothing stays.
  const profile = await mkdtemp(path.join(tmpdir(), 'chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    timeout: PATIENCE,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    acceptDownloads: true,
  });
  try {
    context.setDefaultTimeout(PATIENCE);
    const page = context.pages()[0] ?? (await context.newPage());
    const failures: Error[] = [];
    page.on('pageerror', (error) => failures.push(error));
    const result = await use(page);
    if (failures.length > 0) throw new AggregateError(failures, 'Scripts of the page failed');
    return result;
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
