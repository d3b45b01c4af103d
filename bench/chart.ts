// A small writer of bar charts as SVG: one group of horizontal bars per scenario, readable on light and dark pages.

import { figure } from './statistics.ts';

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Drawn in the accent colour. */
  readonly ours?: boolean;
}

export interface BarGroup {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

const width = 760;
const labelWidth = 190;
const valueWidth = 90;
const barHeight = 16;
const barGap = 5;
const groupGap = 26;
const titleHeight = 24;

/** Draws `groups` one below the other; each has its own scale, because their units differ. */
export function drawBars(title: string, note: string, groups: readonly BarGroup[]): string {
  const body: string[] = [];
  let y = 34;
  for (const group of groups) {
    const longest = Math.max(...group.bars.map((bar) => bar.value));
    y += titleHeight;
    body.push(`<text class="group" x="0" y="${y - 8}">${xml(group.title)} (${xml(group.unit)})</text>`);
    for (const bar of group.bars) {
      const length = longest === 0 ? 0 : (bar.value / longest) * (width - labelWidth - valueWidth);
      const baseline = y + barHeight - 4;
      body.push(
        `<text class="label" x="${labelWidth - 8}" y="${baseline}">${xml(bar.label)}</text>`,
        `<rect class="${bar.ours === true ? 'ours' : 'other'}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
        `<text class="value" x="${(labelWidth + length + 6).toFixed(1)}" y="${baseline}">${figure(bar.value)}</text>`,
      );
      y += barHeight + barGap;
    }
    y += groupGap - barGap;
  }
  const height = y + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${xml(title)}">
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.group { font-weight: 600; }
.label { text-anchor: end; }
.note { fill: #59636e; }
.ours { fill: #1a7f37; }
.other { fill: #afb8c1; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .note { fill: #9198a1; } .ours { fill: #3fb950; } .other { fill: #656c76; } }
</style>
<text class="title" x="0" y="16">${xml(title)}</text>
<text class="note" x="0" y="34">${xml(note)}</text>
${body.join('\n')}
</svg>
`;
}

function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
