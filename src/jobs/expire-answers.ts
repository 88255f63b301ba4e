import type { Logger } from 'pino';
import type { Context } from '../commands/context.js';
import { expireAnswers } from '../commands/expire-answers.js';
import { type Job, repeat } from './repeat.js';

const intervalMs = 10 * 60 * 1_000;

/** Removes answers kept for Idempotency-Keys once they are old. Every instance may do it at once. */
export function startExpiringAnswers(
  context: Pick<Context, 'db'>,
  options: { hours: number; logger: Logger },
): Job {
  return repeat(intervalMs, async () => {
    try {
      const removed = await expireAnswers(context, { hours: options.hours });
      if (removed > 0)
        options.logger.info({ operation: 'expireAnswers', removed }, 'removed expired answers');
    } catch (error) {
      options.logger.warn({ operation: 'expireAnswers', err: error }, 'could not remove expired answers');
    }
    return intervalMs;
  });
}
