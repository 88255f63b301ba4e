import { type Figures, type Metric, metricNames, type Summary, summarise } from './figures.js';
import type { Aim, Prepared, Scenario, Subject } from './scenario.js';
import type { Sizes, World } from './world.js';

export interface SubjectResult {
  id: string;
  name: string;
  rounds: Figures[];
  summary: { [Name in Metric]?: Summary };
}

export interface AimResult extends Aim {
  /** The figure, or its ratio to that of the reference in the same round; null when one of them is not there. */
  measured: Summary | null;
}

export interface ScenarioResult {
  id: string;
  title: string;
  shows: Metric;
  subjects: SubjectResult[];
  aims: AimResult[];
  notes: string[];
}

/**
 * Runs a scenario: each round runs all subjects, one after the other, and begins with another one each time, so that
 * whatever else the machine does hits all of them.
 */
export async function runScenario(
  scenario: Scenario,
  world: World,
  progress: (text: string) => void,
): Promise<ScenarioResult> {
  progress('preparing');
  const prepared = await scenario.prepare(world, progress);
  try {
    const rounds = await runRounds(
      prepared.subjects,
      scenario.once ? once(world.sizes) : world.sizes,
      progress,
    );
    return resultOf(scenario, prepared, rounds);
  } finally {
    await prepared.close?.();
  }
}

const once = (sizes: Sizes): Sizes => ({ ...sizes, rounds: 1, warmUpSeconds: 0 });

async function runRounds(
  subjects: Subject[],
  sizes: Sizes,
  progress: (text: string) => void,
): Promise<Map<string, Figures[]>> {
  for (const { name, run } of sizes.warmUpSeconds > 0 ? subjects : []) {
    progress(`warming up: ${name}`);
    await run(sizes.warmUpSeconds);
  }
  const figures = new Map<string, Figures[]>(subjects.map(({ id }) => [id, []]));
  for (let round = 0; round < sizes.rounds; round += 1) {
    const first = round % subjects.length;
    for (const { id, name, run } of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      progress(`round ${round + 1} of ${sizes.rounds}: ${name}`);
      figures.get(id)?.push(await run(sizes.seconds));
    }
  }
  return figures;
}

function resultOf(
  { id, title, shows }: Scenario,
  { subjects, aims, notes }: Prepared,
  figures: Map<string, Figures[]>,
): ScenarioResult {
  const roundsOf = (subject: string) => figures.get(subject) ?? [];
  return {
    id,
    title,
    shows,
    subjects: subjects.map((subject) => {
      const rounds = roundsOf(subject.id);
      return { id: subject.id, name: subject.name, rounds, summary: summaryOf(rounds) };
    }),
    aims: aims.map((aim) => ({ ...aim, measured: summarise(valuesOf(aim, roundsOf)) })),
    notes,
  };
}

function summaryOf(rounds: Figures[]): SubjectResult['summary'] {
  const entries = metricNames.flatMap((metric) => {
    const summary = summarise(rounds.flatMap((figures) => figures[metric] ?? []));
    return summary === null ? [] : [[metric, summary] as const];
  });
  return Object.fromEntries(entries);
}

/** One value for each round. */
function valuesOf({ subject, reference, metric }: Aim, roundsOf: (subject: string) => Figures[]): number[] {
  const references = reference === undefined ? null : roundsOf(reference);
  return roundsOf(subject).flatMap((figures, round) => {
    const value = figures[metric];
    const compared = references === null ? 1 : references[round]?.[metric];
    return value === undefined || compared === undefined ? [] : [value / compared];
  });
}
