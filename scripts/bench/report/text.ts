import { type Metric, metricNames, metrics, type Summary } from '../figures.js';
import type { AimResult, ScenarioResult, SubjectResult } from '../rounds.js';
import type { Results } from './results.js';

// The words and numbers that the table on the screen and the one in Markdown share.

/** The columns that some subject has something in; wrong answers only when there are any. */
export function columnsOf({ subjects }: ScenarioResult): Metric[] {
  return metricNames.filter((metric) =>
    subjects.some(({ summary }) => {
      const found = summary[metric];
      return found !== undefined && (metric !== 'wrong' || found.max > 0);
    }),
  );
}

/** The median, and beside what the chart shows the deviation and the extremes. */
export function cellOf({ summary }: SubjectResult, metric: Metric, shows: Metric): string {
  const found = summary[metric];
  if (found === undefined) {
    return '–';
  }
  const { decimals } = metrics[metric];
  if (metric !== shows) {
    return numberText(found.median, decimals);
  }
  const [median, deviation, min, max] = [found.median, found.deviation, found.min, found.max].map((value) =>
    numberText(value, decimals),
  );
  return `${median} ±${deviation} (${min} to ${max})`;
}

export function numberText(value: number, decimals: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** One line: what was measured, of what, and what is aimed at. */
export function aimText(aim: AimResult, { subjects }: ScenarioResult): string {
  const nameOf = (id: string) => subjects.find((subject) => subject.id === id)?.name ?? id;
  const { title } = metrics[aim.metric];
  const subject = aim.metric === 'rate' ? nameOf(aim.subject) : `${nameOf(aim.subject)}, ${title}`;
  const what = aim.reference === undefined ? subject : `${subject} : ${nameOf(aim.reference)}`;
  return `${what} = ${measuredText(aim.measured, aim)}${wantedText(aim)}`;
}

function wantedText({ bound, hope }: AimResult): string {
  if (bound === undefined) {
    return '';
  }
  const wanted = 'atLeast' in bound ? `${bound.atLeast} or more` : `${bound.atMost} or less`;
  return ` (aim ${wanted}${hope === undefined ? '' : `, hoped for ${hope}`})`;
}

function measuredText(measured: Summary | null, { reference, metric }: AimResult): string {
  if (measured === null) {
    return 'not measured';
  }
  const decimals = reference === undefined ? metrics[metric].decimals : measured.median < 0.1 ? 3 : 2;
  const [median, min, max] = [measured.median, measured.min, measured.max].map((value) =>
    numberText(value, decimals),
  );
  return `${median}, ${min} to ${max}`;
}

/** Whether the median is where the project wants it; null when that is not known. */
export function isReached({ measured, bound }: AimResult): boolean | null {
  if (measured === null || bound === undefined) {
    return null;
  }
  return 'atLeast' in bound ? measured.median >= bound.atLeast : measured.median <= bound.atMost;
}

export function environmentText({ startedAt, machine, versions, sizes }: Results): string {
  const { processor, cores, memoryGb, system, loadBefore } = machine;
  const others = [
    ...(versions.etcd === null ? [] : [`etcd ${versions.etcd}`]),
    ...(versions.pgbench === null ? [] : [`pgbench ${versions.pgbench}`]),
  ];
  return [
    startedAt.slice(0, 16).replace('T', ' '),
    `${cores} cores of ${processor}, ${memoryGb} GB, ${system}, load before ${loadBefore}`,
    [`Node ${versions.node}`, `PostgreSQL ${versions.postgres}`, ...others].join(', '),
    `medians of ${sizes.rounds} rounds of ${sizes.seconds} s, ± median absolute deviation`,
  ].join(' · ');
}
