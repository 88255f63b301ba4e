import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Figures } from '../figures.js';
import { cpuSecondsOf, memoryOf } from './processes.js';

/** The processes that do the work of a subject. */
export interface Target {
  pid?: number;
  /** The PostgreSQL that works for it. */
  postmaster?: number | null;
  /** A process that `probe.ts` was loaded into. */
  probed?: ChildProcess;
}

const MEMORY_INTERVAL_MS = 100;

/** Does `work`, and adds to its figures what it cost the processes of the target. */
export async function measure(
  { pid, postmaster, probed }: Target,
  work: () => Promise<Figures>,
): Promise<Figures> {
  let rssMb = pid === undefined ? null : memoryOf(pid);
  const watching = setInterval(() => {
    if (pid !== undefined) {
      rssMb = Math.max(rssMb ?? 0, memoryOf(pid) ?? 0);
    }
  }, MEMORY_INTERVAL_MS);
  const cpuBefore = [cpuOf(pid), cpuOf(postmaster)] as const;
  const clientBefore = process.cpuUsage();
  const startedAt = performance.now();
  probed?.send('reset');
  try {
    const figures = await work();
    const elapsedUs = (performance.now() - startedAt) * 1_000;
    const client = process.cpuUsage(clientBefore);
    const operations = ((figures.rate ?? 0) * elapsedUs) / 1e6;
    return {
      ...figures,
      ...named('serverCpuUs', perOperation(cpuBefore[0], cpuOf(pid), operations)),
      ...named('databaseCpuUs', perOperation(cpuBefore[1], cpuOf(postmaster), operations)),
      ...named('rssMb', rssMb),
      ...named('loopDelayP99Ms', await loopDelayOf(probed)),
      clientCpuPercent: ((client.user + client.system) / elapsedUs) * 100,
    };
  } finally {
    clearInterval(watching);
  }
}

function cpuOf(postmaster: number | null | undefined): number | null {
  return typeof postmaster === 'number' ? cpuSecondsOf(postmaster) : null;
}

function perOperation(before: number | null, after: number | null, operations: number): number | null {
  return before === null || after === null || operations === 0 ? null : ((after - before) * 1e6) / operations;
}

async function loopDelayOf(probed: ChildProcess | undefined): Promise<number | null> {
  if (probed === undefined) {
    return null;
  }
  probed.send('report');
  const [answer]: unknown[] = await once(probed, 'message');
  return typeof answer === 'number' ? answer : null;
}

function named(name: keyof Figures, value: number | null): Figures {
  return value === null ? {} : { [name]: value };
}
