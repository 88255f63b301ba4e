import { fromArchive } from '../../lib/archive.js';
import { findArchived, readArchives, restoreContents } from '../../store/archived.js';
import type { Tx } from '../../store/db.js';

/** Archives that are read at once at most; fewer where they are large. */
const batchSize = 500;

/** Characters of content that are held at once at most, but for the last one. */
const maxHeld = 8 * 1024 * 1024;

/**
 * Brings the content of archived versions back into their rows, in the transaction that makes them current: a
 * pointer leads only to content at hand. Nothing happens to those that have theirs. Any number of them takes no
 * more memory than a few.
 */
export async function restoreArchived(tx: Tx, versionIds: number[]): Promise<void> {
  if (versionIds.length === 0) return;
  const waiting = await findArchived(tx, versionIds);
  while (waiting.length > 0) {
    const archives = await readArchives(tx, waiting.slice(0, batchSize));
    if (archives.length === 0) throw new Error('an archive that was just found is not there');
    waiting.splice(0, archives.length);
    let restored: { id: number; content: string }[] = [];
    let held = 0;
    for (const { id, archive } of archives) {
      const content = await fromArchive(archive);
      restored.push({ id, content });
      held += content.length;
      if (held < maxHeld) continue;
      await restoreContents(tx, restored);
      restored = [];
      held = 0;
    }
    if (restored.length > 0) await restoreContents(tx, restored);
  }
}
