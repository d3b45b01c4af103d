import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawBars } from '../../bench/chart.ts';
import { figure, median, summarize } from '../../bench/statistics.ts';

test('median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([7]), 7);
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
  assert.deepEqual(summarize([3, 1, 2]), { median: 2, lowest: 1, highest: 3 });
});

test('figures have three significant digits', () => {
  const figures = [0, 0.01234, 0.5, 1.234, 12.34, 123.4, 1234.5, -2.5].map(figure);
  assert.deepEqual(figures, ['0', '0.0123', '0.500', '1.23', '12.3', '123', '1235', '-2.50']);
});

test('a chart scales its bars to the longest of their group and escapes its texts', () => {
  const bars = [
    { label: 'a < b', value: 2 },
    { label: 'ours', value: 1, ours: true },
  ];
  const svg = drawBars('A & B', 'note', [{ title: 'group', unit: 'µs', bars }]);
  const widths = [...svg.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)].map(([, kind, width]) => [
    kind,
    Number(width),
  ]);
  assert.deepEqual(widths, [
    ['other', 480],
    ['ours', 240],
  ]);
  assert.match(svg, /a &lt; b/);
  assert.match(svg, /aria-label="A &amp; B"/);
});
