import type { Actor } from '../domain/actor.js';
import { type ChangesetView, toChangesetView } from '../domain/changeset.js';
import { changesetTag, checkPrecondition, matchesStagedTag } from '../domain/entity-tag.js';
import type { Precondition } from '../domain/precondition.js';
import type { MemberResolutions } from '../domain/rebase.js';
import { rebaseConflict, resolutionsRefused } from '../domain/rebase-refusals.js';
import { countChangesetEdit, findChangeset } from '../store/changesets.js';
import { type Tx, withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';
import { lockOpenChangeset } from './steps/lock-changeset.js';
import { rebaseMembers } from './steps/rebase-members.js';

export interface RebaseChangesetInput {
  id: string;
  resolutions: MemberResolutions[];
  precondition: Precondition;
  actor: Actor;
}

export interface RebasedChangeset {
  /** Members that were laid on another base. */
  rebased: number;
  /** Conflicts that were settled. */
  resolved: number;
  changeset: ChangesetView;
}

/**
 * Lays all outdated members of a changeset on the versions that are current now, or none of them. A changeset
 * without outdated members stays as it is, so that a rebase may be sent again.
 */
export async function rebaseChangeset(
  context: Context,
  input: RebaseChangesetInput,
): Promise<{ result: RebasedChangeset; tag: string; revision: number }> {
  return await context.longWork.run(() => withTransaction(context.db, (tx) => rebase(tx, context, input)));
}

async function rebase(
  tx: Tx,
  context: Context,
  input: RebaseChangesetInput,
): Promise<{ result: RebasedChangeset; tag: string; revision: number }> {
  const { id, precondition } = input;
  // Whoever edits a member locks the changeset first. The records are not locked, or commits would wait for the
  // end of all: what is committed meanwhile makes its member outdated again.
  const { edit } = await lockOpenChangeset(tx, id);
  checkPrecondition(precondition, changesetTag({ id, edit, derived: '' }), {
    what: 'changeset',
    required: false,
    matches: matchesStagedTag,
  });
  const { rebased, resolved, conflicts, failures } = await rebaseMembers(tx, context, input);
  if (failures.length > 0) throw resolutionsRefused(failures);
  if (conflicts.count > 0) throw rebaseConflict(conflicts, { etag: (await viewChangeset(tx, id)).tag });
  if (rebased > 0) countChangesetEdit(tx, id);
  const { changeset, tag } = await viewChangeset(tx, id);
  const { revision } = await findHead(tx);
  return { result: { rebased, resolved, changeset }, tag, revision };
}

async function viewChangeset(tx: Tx, id: string): Promise<{ changeset: ChangesetView; tag: string }> {
  const stored = await findChangeset(tx, id);
  if (stored === null) throw new Error('a locked changeset is not there');
  return toChangesetView(stored);
}
