import { withTransaction } from '../store/db.js';
import {
  enterRecords,
  findUnfinishedIndex,
  markReady,
  removeEntries,
  removeMarks,
  tryLockIndexes,
  type UnfinishedIndex,
} from '../store/list-indexes.js';
import { commitWithoutFlush } from '../store/retention.js';
import type { Context } from './context.js';

/** Records of one batch: some ten milliseconds, for which a commit of one of them may have to wait. */
const batchRecords = 1_000;

export interface BuildStep {
  index: UnfinishedIndex;
  /** Whether this was its last batch: lists use it now, or it is gone. */
  finished: boolean;
}

/**
 * One batch of the work on indexes: of one that is being built, or removed. Any number of instances may call this;
 * one of them works at a time, and whichever comes next goes on from there. Null when there is nothing to do, or
 * somebody else does it.
 */
export async function buildIndexes(
  context: Pick<Context, 'db'>,
  options: { batchRecords?: number } = {},
): Promise<BuildStep | null> {
  // Nearly always nothing is to be done, which needs no transaction to be seen.
  if ((await findUnfinishedIndex(context.db)) === null) return null;
  const limit = options.batchRecords ?? batchRecords;
  const step = await withTransaction(context.db, async (tx): Promise<BuildStep | null> => {
    if (!(await tryLockIndexes(tx))) return null;
    const index = await findUnfinishedIndex(tx);
    if (index === null) return null;
    await commitWithoutFlush(tx);
    if (index.state === 'removing')
      return { index, finished: (await removeEntries(tx, index.id, limit)) < limit };
    const count = await enterRecords(tx, index, limit);
    if (count < limit) await markReady(tx, index.id);
    return { index, finished: count < limit };
  });
  // Commits that begin from now on see that it is ready, and leave no mark.
  if (step?.finished && step.index.state === 'building')
    await withTransaction(context.db, (tx) => removeMarks(tx, step.index.id));
  return step;
}
