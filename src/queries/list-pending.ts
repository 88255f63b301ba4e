import type { Page, PendingView } from '../domain/record.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { QueryContext } from './context.js';
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
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    const { collection = null, changeset = null, outdated = null } = input;
    return { page: await readPendingPage(snapshot, { ...input, collection, changeset, outdated }), revision };
  });
}
