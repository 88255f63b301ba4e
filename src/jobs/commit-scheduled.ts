import type { Logger } from 'pino';
import { commitScheduled } from '../commands/commit-scheduled.js';
import type { Context } from '../commands/context.js';
import { type Job, repeat } from './repeat.js';

const operation = 'commitScheduled';

/** How often what is due is asked for: one statement on a small index. */
const intervalMs = 1_000;

/**
 * Commits scheduled changesets when their moment has come, or as soon as there is an instance again. Every
 * instance may do it at once: a changeset is committed by one of them.
 */
export function startCommittingScheduled(
  context: Context,
  logger: Logger,
  options: { intervalMs?: number } = {},
): Job {
  const restMs = options.intervalMs ?? intervalMs;
  return repeat(restMs, async () => {
    try {
      for (const { changeset, revision, refused, postponed } of await commitScheduled(context)) {
        if (refused) logger.warn({ operation, changeset, code: refused.code }, 'a schedule was refused');
        else if (postponed) logger.warn({ operation, changeset, err: postponed }, 'a schedule has to wait');
        else logger.info({ operation, changeset, revision }, 'a schedule was carried out');
      }
    } catch (error) {
      logger.warn({ operation, err: error }, 'could not look for what is due');
    }
    return restMs;
  });
}
