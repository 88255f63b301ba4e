import type { Actor } from '../domain/actor.js';
import { type ChangesetView, toChangesetView } from '../domain/changeset.js';
import { findChangeset, insertChangeset } from '../store/changesets.js';
import { withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';

/** Opens a changeset, empty. */
export async function createChangeset(
  context: Context,
  input: { title: string; message?: string | undefined; actor: Actor },
): Promise<{ changeset: ChangesetView; tag: string; revision: number }> {
  return await withTransaction(context.db, async (tx) => {
    const { title, message = null, actor } = input;
    const id = await insertChangeset(tx, { title, message, createdBy: actor.name });
    const stored = await findChangeset(tx, id);
    if (stored === null) throw new Error('a changeset that was just inserted is not there');
    const { revision } = await findHead(tx);
    return { ...toChangesetView(stored), revision };
  });
}
