import type { Actor } from '../domain/actor.js';
import { type ChangesetView, changesetDigest, toChangesetView } from '../domain/changeset.js';
import { changesetTag, checkPrecondition, matchesStagedTag } from '../domain/entity-tag.js';
import { DiptychError } from '../domain/errors.js';
import type { Precondition } from '../domain/precondition.js';
import { hasStaged, insertApproval } from '../store/approvals.js';
import { findChangeset, listMemberContents } from '../store/changesets.js';
import { type Tx, withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';
import { lockWaitingChangeset } from './steps/lock-changeset.js';

export interface ApproveChangesetInput {
  id: string;
  message?: string | undefined;
  precondition: Precondition;
  actor: Actor;
}

/** Notes that somebody who staged none of it approves a changeset as it is. Any later edit voids that. */
export async function approveChangeset(
  context: Context,
  input: ApproveChangesetInput,
): Promise<{ changeset: ChangesetView; tag: string; revision: number }> {
  const { id, message = null, precondition, actor } = input;
  return await withTransaction(context.db, async (tx) => {
    const { edit } = await lockWaitingChangeset(tx, id);
    checkPrecondition(precondition, changesetTag({ id, edit, derived: '' }), {
      what: 'changeset',
      required: true,
      matches: matchesStagedTag,
    });
    await requireApprover(tx, id, actor);
    const digest = await changesetDigest(await listMemberContents(tx, id));
    await insertApproval(tx, { id, edit, digest, approver: actor.name, message });
    const stored = await findChangeset(tx, id);
    if (stored === null) throw new Error('a locked changeset is not there');
    const { revision } = await findHead(tx);
    return { ...toChangesetView(stored), revision };
  });
}

/** @throws DiptychError `approval-refused` for who has staged any of it, and for who has no name */
async function requireApprover(tx: Tx, id: string, { name, anonymous }: Actor): Promise<void> {
  if (anonymous) throw new DiptychError('approval-refused', 'An approval needs the name of who gives it.');
  if (await hasStaged(tx, id, name)) {
    throw new DiptychError('approval-refused', `${name} has staged members of this changeset.`);
  }
}
