import type { Page, PendingView } from '../domain/record.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { readPendingPage } from './steps/pending-page.js';

/** Everything that waits, in the order in which it was started. */
export async function listPending(
  context: QueryContext,
  input: {
    collection?: string | undefined;
    changeset?: string | undefined;
    outdated?: boolean | undefined;
    limit: number;
    cursor?: string | undefined;
  },
): Promise<{ page: Page<PendingView>; revision: number }> {
  return await atHead(context.db, async (snapshot, revision) => {
    const { collection = null, changeset = null, outdated = null } = input;
    return { page: await readPendingPage(snapshot, { ...input, collection, changeset, outdated }), revision };
  });
}
