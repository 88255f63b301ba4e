import type { Logger } from 'pino';
import type { Context } from '../commands/context.js';
import { sweepRetention } from '../commands/sweep-retention.js';
import { type Job, repeat } from './repeat.js';

const minuteMs = 60 * 1_000;

/** After a start the first sweep comes early, so that a service that is started often still has one. */
const firstMs = minuteMs;

/** Apart by a quarter either way, so that instances that were started together do not stay in step. */
const jittered = (ms: number) => ms * (0.75 + Math.random() / 2);

/**
 * Applies the retention policies from time to time; of several instances one at a time. `stop` ends a sweep
 * between two batches and answers when nothing of it runs any more; the next goes on from there.
 *
 * @param options.intervalMinutes between two sweeps; 0: never
 * @param options.firstMs before the first
 */
export function startRetention(
  context: Pick<Context, 'db'>,
  options: { intervalMinutes: number; firstMs?: number; logger: Logger },
): Job {
  const intervalMs = options.intervalMinutes * minuteMs;
  if (intervalMs === 0) return { stop: async () => {} };
  return repeat(jittered(options.firstMs ?? Math.min(firstMs, intervalMs)), async (signal) => {
    await sweep(context, options.logger, signal);
    return jittered(intervalMs);
  });
}

async function sweep(context: Pick<Context, 'db'>, logger: Logger, signal: AbortSignal): Promise<void> {
  const operation = 'sweepRetention';
  try {
    for (const { collection, outcome } of (await sweepRetention(context, { signal })) ?? []) {
      if ('error' in outcome)
        logger.warn({ operation, collection, err: outcome.error }, 'retention of a collection failed');
      else if (outcome.archived + outcome.deleted > 0)
        logger.info({ operation, collection, ...outcome }, 'retention removed old versions');
    }
  } catch (error) {
    logger.warn({ operation, err: error }, 'retention could not run');
  }
}
