import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { buildIndexes } from '../commands/build-indexes.js';
import type { Context } from '../commands/context.js';

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
): { stop: () => Promise<void> } {
  const controller = new AbortController();
  const { signal } = controller;
  const run = async () => {
    let waitMs = options.intervalMs ?? intervalMs;
    while (await rested(waitMs, signal)) {
      const startedAt = performance.now();
      const isMore = await step(context, logger);
      waitMs = isMore ? performance.now() - startedAt : (options.intervalMs ?? intervalMs);
    }
  };
  const ended = run();
  return {
    stop: async () => {
      controller.abort();
      await ended;
    },
  };
}

/** Waits; answers false when there is no point in going on. */
async function rested(ms: number, signal: AbortSignal): Promise<boolean> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => {});
  return !signal.aborted;
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
