import { metrics } from '../figures.js';
import type { ScenarioResult } from '../rounds.js';
import { countWrong, type Results } from './results.js';
import { aimText, cellOf, columnsOf, environmentText, isReached } from './text.js';

/** The results as they stand in docs/performance.md. */
export function toMarkdown(results: Results): string {
  return [environmentText(results), ...results.scenarios.map(scenarioText)].join('\n\n');
}

function scenarioText(result: ScenarioResult): string {
  const columns = columnsOf(result);
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const wrong = countWrong(result);
  return [
    `### ${result.title}`,
    '',
    row([`\`${result.id}\``, ...columns.map((metric) => metrics[metric].title)]),
    row(['---', ...columns.map(() => '---:')]),
    ...result.subjects.map((subject) =>
      row([subject.name, ...columns.map((metric) => cellOf(subject, metric, result.shows))]),
    ),
    '',
    ...result.aims.map((aim) => `- ${reachedText(isReached(aim))}${aimText(aim, result)}`),
    ...result.notes.map((note) => `- ${note}`),
    ...(wrong > 0 ? [`- **Not valid:** ${wrong} answers were not what they had to be.`] : []),
  ].join('\n');
}

function reachedText(reached: boolean | null): string {
  return reached === null ? '' : reached ? 'reached: ' : 'missed: ';
}
