import type { StoredResolution } from '../../domain/rebase.js';
import type { Content } from '../../domain/stage.js';
import { countChangesetEdit } from '../../store/changesets.js';
import type { Tx } from '../../store/db.js';
import { insertPending, updatePending } from '../../store/versions.js';
import type { LockedPending, PendingAddress } from './lock-pending.js';

/** Starts the pending version, based on the current one, or edits the one that is there. */
export async function writePending(
  tx: Tx,
  at: PendingAddress,
  locked: LockedPending,
  staged: {
    content: Content | null;
    message: string | null;
    author: string;
    /** Of the conflicts that were settled on the way to this content. */
    resolutions: StoredResolution[];
  },
): Promise<void> {
  const { record, stored } = locked;
  const row = {
    operation: staged.content === null ? ('delete' as const) : ('upsert' as const),
    content: staged.content?.content ?? null,
    digest: staged.content === null ? null : Buffer.from(staged.content.digest, 'hex'),
    message: staged.message,
    stagedBy: [...new Set([...(stored?.stagedBy ?? []), staged.author])],
  };
  if (stored === null) {
    await insertPending(tx, {
      ...row,
      recordId: record.id,
      changesetId: at.changeset,
      baseVersionId: record.currentVersionId,
    });
  } else {
    await updatePending(tx, stored.id, { ...row, resolutions: staged.resolutions });
  }
  if (at.changeset !== null) await countChangesetEdit(tx, at.changeset);
}
