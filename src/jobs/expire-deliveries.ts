import type { Logger } from 'pino';
import type { Context } from '../commands/context.js';
import { expireDeliveries } from '../commands/expire-deliveries.js';
import { type Job, repeat } from './repeat.js';

const operation = 'expireDeliveries';

const intervalMs = 10 * 60 * 1_000;

/** Keeps the log of deliveries within its bounds. Every instance may do it at once. */
export function startExpiringDeliveries(context: Pick<Context, 'db'>, logger: Logger): Job {
  return repeat(intervalMs, async () => {
    try {
      const removed = await expireDeliveries(context);
      if (removed > 0) logger.info({ operation, removed }, 'removed old deliveries');
    } catch (error) {
      logger.warn({ operation, err: error }, 'could not remove old deliveries');
    }
    return intervalMs;
  });
}
