import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { withBrowser } from '../browser.ts';
import { RunningExample } from './running-example.ts';

/** Where to leave pictures for people; none are made without it. */
const pictures = process.env['SCREENSHOTS'];

test('examples/notes, the whole tour in a real browser', { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'notes-browser-'));
  const site = await RunningExample.start('examples/notes/main.ts', '--data', folder);
  try {
    await withBrowser(async (page) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
      const picture = async (name: string): Promise<void> => {
        if (pictures !== undefined)
          await page.screenshot({ path: path.join(pictures, `notes-${name}.png`), fullPage: true });
      };
      const content = async (): Promise<string> => (await page.locator('main').textContent()) ?? '';

      await page.goto(site.url);
      assert.match(await content(), /Nothing here yet/);
      await picture('empty');

      await page.getByRole('link', { name: 'Register' }).click();
      await page.getByLabel('Name').fill('ada');
      await page.getByLabel('Password').fill('short');
      await page.getByRole('button', { name: 'Register' }).click();
      assert.match(await content(), /at least ten characters/);
      await picture('register');
      assert.equal(await page.getByLabel('Name').inputValue(), 'ada');
      await page.getByLabel('Password').fill('a few words are fine');
      await page.getByRole('button', { name: 'Register' }).click();
      assert.match(await content(), /Welcome, ada\./);

      const notes: readonly (readonly [string, string])[] = [
        ['Groceries', 'Bread, olives, coffee.\nAsk at the market about the pears.'],
        [
          '<script>alert(1)</script>',
          '"><img src=x onerror=alert(1)> is text like any other, http://example.com/ is a link.',
        ],
        [
          'On the analytical engine',
          'The engine can arrange and combine its numerical quantities exactly as if they were letters or any other general symbols; and in fact it might bring out its results in algebraical notation, were provisions made accordingly. That is more than this line has room for on the first page.',
        ],
      ];
      for (const [title, body] of notes) {
        await page.getByRole('link', { name: 'New note' }).click();
        await page.getByLabel('Title').fill(title);
        await page.getByLabel('Text').fill(body);
        await page.getByRole('button', { name: 'Save' }).click();
        assert.equal(await page.locator('article h1').textContent(), title);
      }
      await page.getByRole('link', { name: 'Notes', exact: true }).click();
      assert.deepEqual(
        await page.locator('article h2').allTextContents(),
        notes.map(([title]) => title).reverse(),
      );
      await picture('home');

      await page.getByRole('link', { name: 'Groceries' }).click();
      await picture('note');
      await page.getByRole('link', { name: 'Edit' }).click();
      assert.equal(await page.getByLabel('Text').inputValue(), notes[0]?.[1]);
      await page.getByLabel('Text').fill('Only bread.');
      await picture('edit');
      await page.getByRole('button', { name: 'Save' }).click();
      assert.match(await content(), /Your note was changed\.[\s\S]*Only bread\./);

      const answers = [false, true];
      page.on('dialog', (dialog) => void (answers.shift() ? dialog.accept() : dialog.dismiss()));
      await page.getByRole('button', { name: 'Delete' }).click();
      assert.match(await content(), /Only bread\./, 'asked, and not deleted');
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.waitForURL(`${site.url}/`);
      assert.match(await content(), /“Groceries” was deleted\./);

      const theme = (): Promise<string | undefined> =>
        page.evaluate('document.documentElement.dataset.theme');
      const paper = (): Promise<string> =>
        page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
      const light = await paper();
      await page.getByRole('button', { name: /light and dark/ }).click();
      assert.equal(await theme(), 'dark');
      assert.notEqual(await paper(), light);
      await page.reload();
      assert.equal(await theme(), 'dark', 'the script with the nonce ran');
      await picture('dark');
      await page.getByRole('link', { name: 'ada' }).click();
      await page.getByRole('button', { name: 'Make a new token' }).click();
      assert.match(await content(), /this browser[\s\S]*notes_[\w-]{43}/i);
      await picture('account');

      await page.setViewportSize({ width: 375, height: 740 });
      await page.goto(site.url);
      const wide = await page.evaluate('document.documentElement.scrollWidth');
      assert.equal(wide, 375, 'a phone need not scroll sideways');
      await picture('phone');

      assert.equal(
        await page.evaluate(`(() => {
          const script = document.createElement('script');
          script.textContent = 'window.injected = true';
          document.body.append(script);
          return String(window.injected);
        })()`),
        'undefined',
        'a script without the nonce does not run',
      );
      assert.ok(
        complaints.some((text) => /Content Security Policy/.test(text)),
        'and the browser says so',
      );
      assert.deepEqual(
        complaints.filter((text) => !/Content Security Policy|status of 422/.test(text)),
        [],
      );
      assert.equal(
        complaints.filter((text) => /Content Security Policy/.test(text)).length,
        1,
        complaints.join('\n'),
      );

      await page.getByRole('button', { name: 'Log out' }).click();
      assert.equal(await page.getByRole('link', { name: 'Log in' }).count(), 1);
      const gone = await page.goto(`${site.url}/account`);
      assert.equal(new URL(gone?.url() ?? '').pathname, '/login');
    });
  } finally {
    assert.equal(await site.stop(), 0, site.stderr);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
