import type { Actor } from '../domain/actor.js';
import { type ChangesetView, toChangesetView } from '../domain/changeset.js';
import { changesetTag, checkPrecondition, matchesStagedTag } from '../domain/entity-tag.js';
import type { Precondition } from '../domain/precondition.js';
import { closeChangesets, deleteMembers, findChangeset } from '../store/changesets.js';
import { type Tx, withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';
import { lockOpenChangeset } from './steps/lock-changeset.js';

/** Throws a changeset away with all that was staged in it. Nothing that readers see changes. */
export async function discardChangeset(
  context: Context,
  input: { id: string; precondition: Precondition; actor: Actor },
): Promise<{ changeset: ChangesetView; tag: string; revision: number }> {
  return await context.longWork.run(() => withTransaction(context.db, (tx) => discard(tx, input)));
}

async function discard(
  tx: Tx,
  { id, precondition, actor }: { id: string; precondition: Precondition; actor: Actor },
): Promise<{ changeset: ChangesetView; tag: string; revision: number }> {
  const { edit } = await lockOpenChangeset(tx, id);
  checkPrecondition(precondition, changesetTag({ id, edit, derived: '' }), {
    what: 'changeset',
    required: true,
    matches: matchesStagedTag,
  });
  await deleteMembers(tx, id);
  closeChangesets(tx, [{ id, state: 'discarded', by: actor.name }]);
  const stored = await findChangeset(tx, id);
  if (stored === null) throw new Error('a locked changeset is not there');
  const { revision } = await findHead(tx);
  return { ...toChangesetView(stored), revision };
}
