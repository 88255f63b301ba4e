import { checkPrecondition, matchesStagedTag } from '../domain/entity-tag.js';
import type { Precondition } from '../domain/precondition.js';
import { pendingNotFound } from '../domain/refusals.js';
import { countChangesetEdit } from '../store/changesets.js';
import { withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import { deleteEmptyRecords } from '../store/records.js';
import { deletePending } from '../store/versions.js';
import type { Context } from './context.js';
import { lockPending, type PendingAddress } from './steps/lock-pending.js';

/** Throws the pending version away. Nothing that readers see changes. */
export async function discardPending(
  context: Context,
  input: PendingAddress & { precondition: Precondition },
): Promise<{ revision: number }> {
  return await withTransaction(context.db, async (tx) => {
    const locked = await lockPending(tx, input);
    if (locked === null || locked.stored === null) throw pendingNotFound(input);
    checkPrecondition(input.precondition, locked.tag, {
      what: 'pending version',
      required: true,
      matches: matchesStagedTag,
    });
    await deletePending(tx, [locked.stored.id]);
    await deleteEmptyRecords(tx, [locked.record.id]);
    if (input.changeset !== null) await countChangesetEdit(tx, input.changeset);
    const { revision } = await findHead(tx);
    return { revision };
  });
}
