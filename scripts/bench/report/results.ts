import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { findProgram } from '../references/find-program.js';
import type { ScenarioResult } from '../rounds.js';
import type { Sizes, World } from '../world.js';

/** What `results.json` holds. */
export interface Results {
  /** RFC 3339. */
  startedAt: string;
  machine: {
    processor: string;
    cores: number;
    memoryGb: number;
    system: string;
    /** Processes that ran or waited to run, on average over the last minute before the start. */
    loadBefore: number;
  };
  versions: { node: string; postgres: string; etcd: string | null; pgbench: string | null };
  sizes: Sizes;
  scenarios: ScenarioResult[];
}

export async function startResults(world: World): Promise<Results> {
  const processors = cpus();
  return {
    startedAt: new Date().toISOString(),
    machine: {
      processor: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      system: `${type()} ${release()}`,
      loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    },
    versions: {
      node: process.version,
      postgres: await world.version(),
      etcd: versionOf('etcd'),
      pgbench: versionOf('pgbench'),
    },
    sizes: world.sizes,
    scenarios: [],
  };
}

function versionOf(name: string): string | null {
  const program = findProgram(name);
  if (program === null) {
    return null;
  }
  const output = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return /\d+(\.\d+)+/.exec(output)?.[0] ?? null;
}

/** How many answers were not what they had to be. */
export function countWrong({ subjects }: ScenarioResult): number {
  return subjects.flatMap(({ rounds }) => rounds).reduce((sum, { wrong }) => sum + (wrong ?? 0), 0);
}
