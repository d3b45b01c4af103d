import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withBrowser } from '../browser.ts';
import { RunningExample } from './running-example.ts';

test('two pages talk, names and messages stay text, and a shutdown is told', async () => {
  const example = await RunningExample.start('examples/chat/server.ts');
  try {
    await withBrowser(async (ann) => {
      const bob = await ann.context().newPage();
      for (const [page, name] of [
        [ann, 'Ann'],
        [bob, '<img src=x onerror=alert(1)>'],
      ] as const) {
        page.on('dialog', () => assert.fail('a name ran as script'));
        await page.goto(example.url);
        await page.getByLabel('Your name').fill(name);
        await page.getByRole('button', { name: 'Enter' }).click();
        await page.getByText(`${name} joined.`).waitFor();
      }
      await ann.getByText('Ann, <img src=x onerror=alert(1)>', { exact: true }).waitFor();
      for (const message of ['Grüße 🎉', 'x'.repeat(1500)]) {
        await ann.getByLabel('Message').fill(message);
        await ann.getByLabel('Message').press('Enter');
        await bob.getByText(`Ann: ${message}`).waitFor();
      }
      await bob.getByLabel('Message').fill('hello');
      await bob.getByRole('button', { name: 'Send' }).click();
      await ann.getByText('onerror=alert(1)>: hello').waitFor();
      // Compressed, as Chromium offers it; and a page that is closed has left.
      await bob.close();
      await ann.getByText('<img src=x onerror=alert(1)> left.').waitFor();
      const told = ann.getByText('The server goes down (1001).').waitFor();
      assert.equal(await example.stop(), 0, example.stderr);
      await told;
    });
  } finally {
    await example.kill();
  }
});
