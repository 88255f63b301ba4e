import { type Context, createContext } from '../../src/commands/context.js';
import { openDatabase } from '../../src/store/db.js';
import { createTestDatabase } from '../support/database.js';
import type { Law } from './laws.js';
import type { Finding } from './mutants.js';
import { type Disagreement, type Run, type RunOptions, run } from './run.js';

const instanceCount = 2;
export interface Manner {
  /** What is done to each database before. */
  arrange: (context: Context) => Promise<void>;
  isEnough: (summary: Summary) => boolean;
}

/** Runs under way at a time: one waits for the database while another computes. */
const lanes = 3;

/** What many runs came to. */
export interface Summary {
  runs: number;
  commits: number;
  outcomes: Map<string, number>;
  findings: Finding[];
  disagreement: Disagreement | null;
}

/**
 * Runs one seed after the other, each on a database of its own, up to the first disagreement, or until what has
 * happened `isEnough`.
 */
export async function runMany(
  seeds: number[],
  options: Omit<RunOptions, 'seed' | 'instances'>,
  { arrange = async () => {}, isEnough = () => false }: Partial<Manner> = {},
): Promise<Summary> {
  const summary: Summary = { runs: 0, commits: 0, outcomes: new Map(), findings: [], disagreement: null };
  const broken = new Set<Law>(options.broken);
  const waiting = [...seeds];
  const lane = async () => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      if (summary.disagreement !== null || isEnough(summary)) return;
      add(summary, await runOne(seed, { ...options, broken }, arrange));
      // A bug that has been found need not be found again.
      for (const { law } of summary.findings) broken.delete(law);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return summary;
}

async function runOne(
  seed: number,
  options: Omit<RunOptions, 'seed' | 'instances'>,
  arrange: (context: Context) => Promise<void>,
): Promise<Run> {
  const database = await createTestDatabase();
  const databases = Array.from({ length: instanceCount }, () =>
    openDatabase({ url: database.url, poolSize: 5 }),
  );
  try {
    const instances = databases.map((db) => createContext(db, { maxRecordBytes: 64 * 1024 }));
    for (const context of instances.slice(0, 1)) await arrange(context);
    return await run({ ...options, seed, instances });
  } finally {
    await Promise.all(databases.map((db) => db.close()));
    await database.drop();
  }
}

function add(summary: Summary, done: Run): void {
  summary.runs += 1;
  summary.commits += done.commits;
  summary.findings.push(...done.findings);
  summary.disagreement ??= done.disagreement;
  for (const [name, times] of done.outcomes)
    summary.outcomes.set(name, (summary.outcomes.get(name) ?? 0) + times);
}

/** What is needed to see a disagreement again: the seed, and what was done last. */
export function tell({ seed, step, differences, operations }: Disagreement): string {
  const last = operations
    .slice(-8)
    .map((batch, index, all) => `${operations.length - all.length + index}: ${JSON.stringify(batch)}`);
  return [`SEED=${seed} disagrees at step ${step}:`, ...differences.slice(0, 20), 'after', ...last].join(
    '\n',
  );
}
