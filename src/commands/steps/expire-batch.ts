import { decideRetention } from '../../domain/retention.js';
import { toArchive } from '../../lib/archive.js';
import type { Session, Tx } from '../../store/db.js';
import {
  commitWithoutFlush,
  expireVersions,
  findRetentionFacts,
  listContents,
  lockFreeRecords,
  lockFreeVersions,
  lockHorizon,
  moveHorizon,
  moveRetentionRun,
  type RetentionRow,
} from '../../store/retention.js';
import { horizonAfter, type RetentionBatch, type RetentionTask } from './retention-task.js';

/** What a batch did. */
export interface ExpiredBatch {
  archived: number;
  deleted: number;
  horizon: number;
}

/**
 * Archives or deletes a batch in a transaction of its own, and moves the horizon and the run's position in the
 * same. What the batch was chosen for is decided again under lock; records and versions that somebody has locked
 * are left for the next run. Contents are compressed before, outside of the transaction: they cannot change.
 *
 * @param horizon the horizon as far as is known
 * @returns null when the definition that the task was made for is no longer in force
 */
export async function expireBatch(
  session: Session,
  task: RetentionTask,
  batch: RetentionBatch,
  horizon: number,
): Promise<ExpiredBatch | null> {
  const archives = task.policy.onExpire === 'archive' ? await compressAll(session, batch.going) : new Map();
  const mode = horizonAfter(batch.going, horizon) > horizon ? 'move' : 'keep';
  return await session.transaction(async (tx) => {
    await commitWithoutFlush(tx);
    const locked = await lockHorizon(tx, task.collectionId, mode);
    if (locked === null || locked.definitionId !== task.definitionId) return null;
    const going = await decideAgain(tx, task, batch.going);
    // Without the lock that moving the horizon needs, what would move it stays for now.
    const gone =
      mode === 'move' ? going : going.filter((row) => (row.supersededRevision ?? 0) <= locked.horizon);
    const moved = horizonAfter(gone, locked.horizon);
    if (moved > locked.horizon) await moveHorizon(tx, task.collectionId, moved);
    const versions = gone.map((row) => ({ id: row.versionId, archive: archives.get(row.versionId) ?? null }));
    if (versions.length > 0) await expireVersions(tx, versions);
    const archived = versions.filter((version) => version.archive !== null).length;
    const done = { archived, deleted: versions.length - archived };
    await moveRetentionRun(tx, task.collectionId, { to: batch.to, ...done, finished: batch.isLast });
    return { ...done, horizon: moved };
  });
}

/** Those of the versions that still are to go, now that no pointer can be moved to them, and no base. */
async function decideAgain(tx: Tx, task: RetentionTask, chosen: RetentionRow[]): Promise<RetentionRow[]> {
  if (chosen.length === 0) return [];
  const recordIds = await lockFreeRecords(tx, [...new Set(chosen.map((row) => row.recordId))]);
  const versionIds = await lockFreeVersions(
    tx,
    chosen.map((row) => row.versionId),
    recordIds,
  );
  const rows = await findRetentionFacts(tx, versionIds);
  return rows.filter(
    (row) =>
      row.supersededRevision !== null && decideRetention(task.policy, row, task.now).outcome !== 'keep',
  );
}

async function compressAll(session: Session, rows: RetentionRow[]): Promise<Map<number, Buffer>> {
  const archives = new Map<number, Buffer>();
  const contents = await listContents(
    session,
    rows.map((row) => row.versionId),
  );
  for (const { id, content } of contents) if (content !== null) archives.set(id, await toArchive(content));
  return archives;
}
