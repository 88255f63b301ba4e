import { describe, expect, test } from 'vitest';
import { isFull, size } from '../support/size.js';
import { missingOutcomes } from './coverage.js';
import { type Law, laws } from './laws.js';
import { runMany, type Summary, tell } from './many.js';
import { plantedBugs } from './planted.js';

const replayed = process.env.SEED;
const firstSeed = Number(replayed ?? (isFull ? Date.now() % 1_000_000 : 1));
const steps = replayed === undefined ? size(60, 80) : 80;
/** At least so many; more, up to the most, where they have not seen everything yet. */
const fewestSeeds = replayed === undefined ? size(16, 400) : 1;
const mostSeeds = replayed === undefined ? size(80, 400) : 1;
const seeds = Array.from({ length: mostSeeds }, (_, index) => firstSeed + index);

const allLaws = Object.keys(laws) as Law[];

/** What has not happened or has not been found, and should have: without it the agreement would prove little. */
const unseen = ({ outcomes, findings }: Summary) => [
  ...missingOutcomes(outcomes),
  ...allLaws.filter((law) => !findings.some((finding) => finding.law === law)),
];

describe(`the reference model (SEED=${firstSeed})`, () => {
  test('agrees with the service after every step, and finds every bug planted in itself', {
    timeout: 3_600_000,
  }, async () => {
    const isEnough = (summary: Summary) => summary.runs >= fewestSeeds && unseen(summary).length === 0;
    const summary = await runMany(seeds, { steps, broken: allLaws }, { isEnough });
    expect(summary.disagreement && tell(summary.disagreement)).toBe(null);
    const { runs, commits, outcomes } = summary;
    console.log(`${runs} seeds of ${steps} steps, ${commits} commits, ${outcomes.size} different outcomes`);
    if (replayed === undefined) expect(unseen(summary)).toEqual([]);
  });

  test.each(Object.entries(plantedBugs))('finds in the service %s', async (_, { doors, sql }) => {
    const { disagreement } = await runMany(
      seeds.slice(0, 40),
      { steps, ...(doors ? { replaced: doors() } : {}) },
      { arrange: async ({ db }) => void (sql && (await db.queryOnce(sql))) },
    );
    expect(disagreement).not.toBe(null);
  });
});
