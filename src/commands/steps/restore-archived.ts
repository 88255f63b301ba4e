import { fromArchive } from '../../lib/archive.js';
import { findArchived, restoreContents } from '../../store/archived.js';
import type { Tx } from '../../store/db.js';

/**
 * Brings the content of archived versions back into their rows, in the transaction that makes them current: a
 * pointer leads only to content at hand. Nothing happens to those that have theirs.
 */
export async function restoreArchived(tx: Tx, versionIds: number[]): Promise<void> {
  if (versionIds.length === 0) return;
  const archived = await findArchived(tx, versionIds);
  if (archived.length === 0) return;
  const restored: { id: number; content: string }[] = [];
  for (const { id, archive } of archived) restored.push({ id, content: await fromArchive(archive) });
  await restoreContents(tx, restored);
}
