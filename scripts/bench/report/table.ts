import type { Screen } from '../../demo/screen.js';
import { metrics } from '../figures.js';
import type { ScenarioResult } from '../rounds.js';
import { countWrong } from './results.js';
import { aimText, cellOf, columnsOf, isReached } from './text.js';

/** One scenario as a person on a terminal sees it. */
export function printScenario(result: ScenarioResult, screen: Screen): void {
  const columns = columnsOf(result);
  screen.table(
    ['', ...columns.map((metric) => metrics[metric].title)],
    result.subjects.map((subject) => [
      subject.name,
      ...columns.map((metric) => cellOf(subject, metric, result.shows)),
    ]),
  );
  for (const aim of result.aims) {
    const reached = isReached(aim);
    screen.line(`  ${reached === null ? '·' : reached ? '✓' : '✗'} ${aimText(aim, result)}`);
  }
  result.notes.forEach((note) => {
    screen.note(note);
  });
  const wrong = countWrong(result);
  if (wrong > 0) {
    screen.line(screen.style('red', `  NOT VALID: ${wrong} answers were not what they had to be.`));
  }
}
