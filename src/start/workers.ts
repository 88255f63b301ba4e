import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StartRefusal } from '../store/start-refusal.js';
import type { Closers } from './closers.js';
import type { StopSignals } from './stop-signals.js';

/** What a worker sends once it takes requests. */
interface Ready {
  baseUrl: string;
}

/** Before another worker takes the place of one that has ended. */
const RESTART_PAUSE_MS = 1_000;

/** Tells the primary that this worker takes requests, which tells the operator. Returns false where there is none. */
export function reportReady(baseUrl: string): boolean {
  const ready: Ready = { baseUrl };
  return cluster.isWorker && process.send?.(ready) === true;
}

/**
 * Starts workers that serve one port together, each a whole instance of the service: what holds for several
 * instances on one database holds for them. One that ends is replaced; when this process ends, they do.
 * @returns the base URL, once all take requests; null when the process is told to stop meanwhile
 * @throws StartRefusal when one of them cannot start; its own line of the log says why
 */
export async function startWorkers(options: {
  count: number;
  databaseUrl: string;
  logger: Logger;
  stop: StopSignals;
  closers: Closers;
}): Promise<string | null> {
  const { count, databaseUrl, logger, stop, closers } = options;
  const fork = () => cluster.fork({ DATABASE_URL: databaseUrl });
  const workers = Array.from({ length: count }, fork);
  /** Those that are replaced when they end. */
  const lasting = new Set<Worker>();
  closers.add('workers', () => stopWorkers(stop));

  cluster.on('exit', async (worker, code, signal) => {
    // One that has never been ready could not start, which is the matter of whoever waits for it.
    if (!lasting.delete(worker) || stop.isRequested()) {
      return;
    }
    logger.error(
      { workerPid: worker.process.pid, code, signal },
      'a worker has ended; another takes its place',
    );
    await delay(RESTART_PAUSE_MS);
    if (!stop.isRequested()) {
      lasting.add(fork());
    }
  });

  const readied = workers.map(async (worker) => {
    const baseUrl = await readiness(worker);
    lasting.add(worker);
    return baseUrl;
  });
  const started = await Promise.race([Promise.all(readied), stop.requested]);
  return started?.[0] ?? null;
}

async function readiness(worker: Worker): Promise<string> {
  const ended = new AbortController();
  const failed = once(worker, 'exit', { signal: ended.signal }).then(([code, signal]) => {
    throw new StartRefusal(`A worker could not start: it ended with ${code ?? signal}`);
  });
  failed.catch(() => {});
  const [ready] = (await Promise.race([once(worker, 'message', { signal: ended.signal }), failed])) as [
    Ready,
  ];
  ended.abort();
  return ready.baseUrl;
}

/** Each ends by itself, as a service without workers does. @throws Error when one of them failed to */
async function stopWorkers(stop: StopSignals): Promise<void> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  const signalAll = () => {
    for (const worker of workers) {
      worker.process.kill('SIGTERM');
    }
  };
  void stop.insisted.then(signalAll);
  const exits = workers.map(async (worker) => {
    if (worker.isDead()) return worker.process.exitCode ?? worker.process.signalCode;
    const [code, signal] = await once(worker, 'exit');
    return code ?? signal;
  });
  signalAll();
  // One that was still starting has not learnt yet to take the signal in any other way.
  const faults = (await Promise.all(exits)).filter((end) => end !== 0 && end !== 'SIGTERM');
  if (faults.length > 0) {
    throw new Error(`workers ended with ${faults.join(', ')}`);
  }
}
