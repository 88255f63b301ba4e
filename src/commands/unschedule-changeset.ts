import { type ChangesetView, toChangesetView } from '../domain/changeset.js';
import { unscheduleChangeset as clearSchedule, findChangeset } from '../store/changesets.js';
import { withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';
import { lockWaitingChangeset } from './steps/lock-changeset.js';

/** Opens a scheduled changeset again; an open one stays as it is. */
export async function unscheduleChangeset(
  context: Context,
  input: { id: string },
): Promise<{ changeset: ChangesetView; tag: string; revision: number }> {
  const { id } = input;
  return await withTransaction(context.db, async (tx) => {
    await lockWaitingChangeset(tx, id);
    await clearSchedule(tx, id, null);
    const stored = await findChangeset(tx, id);
    if (stored === null) throw new Error('a locked changeset is not there');
    const { revision } = await findHead(tx);
    return { ...toChangesetView(stored), revision };
  });
}
