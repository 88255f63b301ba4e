import type { Actor } from '../domain/actor.js';
import { checkPrecondition, matchesStagedTag } from '../domain/entity-tag.js';
import type { Precondition } from '../domain/precondition.js';
import type { Resolutions } from '../domain/rebase.js';
import { ConflictList, rebaseConflict, resolutionsRefused } from '../domain/rebase-refusals.js';
import { pendingNotFound } from '../domain/refusals.js';
import { findContents } from '../store/archived.js';
import { countChangesetEdit } from '../store/changesets.js';
import { type Tx, withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import { updateBases } from '../store/rebase.js';
import type { Context } from './context.js';
import { lockPending, type PendingAddress, type StagedAnswer, viewPending } from './steps/lock-pending.js';
import { type Base, rebaseMember, toBase } from './steps/rebase-member.js';

export interface RebasePendingInput extends PendingAddress {
  resolutions: Resolutions;
  precondition: Precondition;
  actor: Actor;
}

/**
 * Lays the pending version on the version that is current now, merging what both have changed since its base.
 * One that is on the current base already stays as it is, so that a rebase may be sent again.
 */
export async function rebasePending(context: Context, input: RebasePendingInput): Promise<StagedAnswer> {
  return await withTransaction(context.db, async (tx) => {
    const locked = await lockPending(tx, input);
    if (locked === null || locked.stored === null) throw pendingNotFound(input);
    const { stored, record, collection } = locked;
    checkPrecondition(input.precondition, locked.tag, {
      what: 'pending version',
      required: false,
      matches: matchesStagedTag,
    });
    const { currentVersionId, currentContent } = record;
    if (stored.baseVersionId !== currentVersionId) {
      const base = await readBase(tx, stored.baseVersionId);
      const step = rebaseMember(
        { ...stored, base, currentVersionId, currentContent },
        {
          resolutions: input.resolutions,
          pointer: '/resolutions',
          mergeKeyAt: context.definitions.get(collection).mergeKeyAt,
          maxRecordBytes: context.limits.maxRecordBytes,
          actor: input.actor,
        },
      );
      if ('failures' in step) throw resolutionsRefused(step.failures);
      if ('conflicts' in step) {
        const conflicts = new ConflictList();
        conflicts.add(step.conflicts);
        const { baseNumber: baseVersion, currentNumber: currentVersion } = stored;
        throw rebaseConflict(conflicts, { baseVersion, currentVersion, etag: locked.tag });
      }
      await updateBases(tx, [step.row], input.actor.name);
      if (input.changeset !== null) countChangesetEdit(tx, input.changeset);
    }
    const { revision } = await findHead(tx);
    return { created: false, ...(await viewPending(tx, input, locked)), revision };
  });
}

async function readBase(tx: Tx, versionId: number | null): Promise<Base> {
  if (versionId === null) return 'none';
  return toBase((await findContents(tx, [versionId])).get(versionId) ?? null);
}
