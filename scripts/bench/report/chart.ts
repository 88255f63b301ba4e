import { metrics, type Summary } from '../figures.js';
import type { ScenarioResult, SubjectResult } from '../rounds.js';
import { numberText } from './text.js';

const WIDTH = 900;
const LABELS = 300;
const VALUES = 90;
const ROW = 30;
const TOP = 56;
const BAR = 16;

/** A bar for each subject: its median, with a line from its least to its most. Colours fit light and dark pages. */
export function chartOf({ id, title, shows, subjects }: ScenarioResult): string {
  const shown = subjects.flatMap((subject) => {
    const summary = subject.summary[shows];
    return summary === undefined ? [] : [{ subject, summary }];
  });
  const longest = Math.max(1e-9, ...shown.map(({ summary }) => summary.max));
  const scale = (WIDTH - LABELS - VALUES) / longest;
  const height = TOP + shown.length * ROW + 12;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    '<style>text{font:13px system-ui,sans-serif;fill:#555}.title{font-size:15px;font-weight:600}.value{font-weight:600}',
    '.service{fill:#2f6fdb}.reference{fill:#9aa5b1}.spread{stroke:#444;stroke-width:1.5}',
    '@media(prefers-color-scheme:dark){text{fill:#ccc}.spread{stroke:#eee}}</style>',
    `<text class="title" x="10" y="22">${escaped(title)}</text>`,
    `<text x="10" y="42">${escaped(id)}: ${escaped(metrics[shows].title)}, median, least to most</text>`,
    ...shown.map(({ subject, summary }, row) =>
      barOf(subject, summary, { row, scale, decimals: metrics[shows].decimals }),
    ),
    '</svg>',
    '',
  ].join('\n');
}

function barOf(
  { id, name }: SubjectResult,
  { median, min, max }: Summary,
  { row, scale, decimals }: { row: number; scale: number; decimals: number },
): string {
  const y = TOP + row * ROW;
  const middle = y + BAR / 2;
  const at = (value: number) => (LABELS + value * scale).toFixed(1);
  return [
    `<text x="${LABELS - 8}" y="${y + 13}" text-anchor="end">${escaped(name)}</text>`,
    `<rect class="${id.startsWith('service') ? 'service' : 'reference'}" x="${LABELS}" y="${y}" width="${(median * scale).toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<line class="spread" x1="${at(min)}" y1="${middle}" x2="${at(max)}" y2="${middle}"/>`,
    `<text class="value" x="${Number(at(max)) + 6}" y="${y + 13}">${numberText(median, decimals)}</text>`,
  ].join('');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
