import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { sleep } from '../../src/asyncio/index.ts';
import { withBrowser } from '../browser.ts';
import { RunningExample } from './running-example.ts';

let folder: string;
let dir: string;
let example: RunningExample;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'upload-browser-'));
  dir = path.join(folder, 'there');
  example = await RunningExample.start('examples/upload/server.ts', '--dir', dir, '--limit', '30000000');
});
after(async () => {
  assert.equal(await example.stop(), 0, example.stderr);
  await rm(folder, { recursive: true });
});

test('several files are uploaded with progress, listed, and downloaded again', async () => {
  const big = Buffer.alloc(20_000_000);
  for (let i = 0; i < big.length; i += 4) big.writeUInt32LE((i * 2_654_435_761) % 2 ** 32, i);
  // Quotes and non-ASCII as they stand in a form, markup that must stay text.
  const files: readonly (readonly [string, Buffer])[] = [
    ['big.bin', big],
    ['Grüße "世界".txt', Buffer.from('hello')],
    ['<img src=x onerror=alert(1)>.html', Buffer.from('<script>document.title = "taken over"</script>')],
    ['empty', Buffer.alloc(0)],
  ];
  const paths: string[] = [];
  for (const [name, bytes] of files) {
    paths.push(path.join(folder, name));
    await writeFile(paths.at(-1)!, bytes);
  }
  await withBrowser(async (page) => {
    page.on('dialog', () => assert.fail('a file name ran as script'));
    await page.goto(example.url);
    await page.getByText('None yet.').waitFor();
    // Every value that the bar of the first file has.
    await page.evaluate(`
      window.seen = [];
      new MutationObserver(() => {
        window.seen.push(document.querySelector('#uploads progress')?.value ?? -1);
      }).observe(document.querySelector('#progress'), { subtree: true, childList: true, attributes: true });
    `);
    await page.locator('#choose').setInputFiles(paths);
    const lines = page.locator('#uploads li');
    const complete = `[...document.querySelectorAll('#uploads output')].filter(({ value }) => value === '100 %').length`;
    while ((await page.evaluate(complete)) !== 4) await sleep(20);
    assert.equal(await lines.count(), 4);
    assert.equal(await page.evaluate(`document.querySelector('#total').value`), 1);
    assert.match((await page.locator('#total-text').textContent()) ?? '', /^100 % of 20\.0 MB$/);
    const seen: number[] = await page.evaluate('window.seen');
    assert.equal(seen.at(-1), 1);
    assert.ok(
      seen.some((value) => value > 0 && value < 1),
      `the bar jumped: ${seen}`,
    );

    const links = page.locator('#files tbody a');
    while ((await page.locator('#files tbody tr').count()) !== 4) await sleep(20);
    assert.deepEqual((await links.allInnerTexts()).sort(), [
      'Grüße _世界_.txt',
      '_img src=x onerror=alert(1)_.html',
      'big.bin',
      'empty',
    ]);
    assert.deepEqual((await page.locator('#files tbody td:last-child').allInnerTexts()).sort(), [
      '0 B',
      '20.0 MB',
      '46 B',
      '5 B',
    ]);

    for (const [link, bytes] of [
      ['big.bin', big],
      ['Grüße _世界_.txt', Buffer.from('hello')],
      ['_img src=x onerror=alert(1)_.html', files[2]![1]],
    ] as const) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByText(link, { exact: true }).last().click(),
      ]);
      assert.equal(download.suggestedFilename(), link);
      assert.ok((await readFile(await download.path())).equals(bytes), link);
    }
    assert.equal(await page.title(), 'Upload');

    // One more of the same name, by dropping it; and one that is too large.
    await page.evaluate(`{
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['second'], 'big.bin'));
      dataTransfer.items.add(new File([new Uint8Array(30_000_001)], 'too big.bin'));
      document.querySelector('#drop').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
    }`);
    await page.getByText('failed: larger than 30.0 MB').waitFor();
    await page.getByText('big (2).bin').waitFor();
    assert.match((await page.locator('#total-text').textContent()) ?? '', /^100 % of 6 B$/);
  });
  const there = await readdir(dir);
  assert.deepEqual(
    there.filter((name) => name.startsWith('.')),
    [],
  );
  assert.equal(there.length, 5);
  assert.equal(await readFile(path.join(dir, 'big (2).bin'), 'utf8'), 'second');
});
