import type { Page, PendingView } from '../domain/record.js';
import { changesetNotFound } from '../domain/refusals.js';
import { hasChangeset } from '../store/changesets.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { readPendingPage } from './steps/pending-page.js';

/** What a changeset holds, in the order in which it was staged. */
export async function listMembers(
  context: QueryContext,
  input: { changeset: string; limit: number; cursor?: string | undefined },
): Promise<{ page: Page<PendingView>; revision: number }> {
  return await atHead(context.db, async (snapshot, revision) => {
    if (!(await hasChangeset(snapshot, input.changeset))) throw changesetNotFound(input.changeset);
    const page = await readPendingPage(snapshot, { collection: null, outdated: null, ...input });
    return { page, revision };
  });
}
