import { type ChangesetView, toChangesetView } from '../domain/changeset.js';
import { changesetNotFound } from '../domain/refusals.js';
import { findChangeset } from '../store/changesets.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';

/** A changeset: what it is about, where it stands, who approved it. */
export async function getChangeset(
  context: QueryContext,
  input: { id: string },
): Promise<{ changeset: ChangesetView; tag: string; revision: number }> {
  return await atHead(context.db, async (snapshot, revision) => {
    const stored = await findChangeset(snapshot, input.id);
    if (stored === null) throw changesetNotFound(input.id);
    return { ...toChangesetView(stored), revision };
  });
}
