import type { Logger } from 'pino';
import { buildIndexes } from '../commands/build-indexes.js';
import type { Context } from '../commands/context.js';
import { type Job, repeat } from './repeat.js';

const operation = 'buildIndexes';

/** How often it is asked whether a definition wants another index: one statement on a small index. */
const intervalMs = 1_000;

/**
 * Builds the indexes that definitions ask for, and removes those that none asks for any more, in batches with rests
 * between them that are as long. Of several instances one does so at a time. `stop` ends it between two batches.
 */
export function startBuildingIndexes(
  context: Pick<Context, 'db'>,
  logger: Logger,
  options: { intervalMs?: number } = {},
): Job {
  const idleMs = options.intervalMs ?? intervalMs;
  return repeat(idleMs, async () => {
    const startedAt = performance.now();
    const isMore = await step(context, logger);
    return isMore ? performance.now() - startedAt : idleMs;
  });
}

/** Answers whether there may be more to do at once. */
async function step(context: Pick<Context, 'db'>, logger: Logger): Promise<boolean> {
  try {
    const done = await buildIndexes(context);
    if (done?.finished) {
      const { collection, pointer, state } = done.index;
      logger.info(
        { operation, collection, pointer },
        `an index was ${state === 'building' ? 'built' : 'removed'}`,
      );
    }
    return done !== null;
  } catch (error) {
    logger.warn({ operation, err: error }, 'the work on indexes has to wait');
    return false;
  }
}
