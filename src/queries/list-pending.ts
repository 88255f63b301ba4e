import { toPendingView } from '../domain/pending-view.js';
import type { Page, PendingView } from '../domain/record.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import { listPending as listRows } from '../store/versions.js';
import type { QueryContext } from './context.js';
import { cutPage, formatNumberCursor, readNumberCursor } from './steps/number-cursor.js';

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
  const after = readNumberCursor('pending', input.cursor) ?? 0;
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    const found = await listRows(snapshot, {
      collection: input.collection ?? null,
      changesetId: input.changeset ?? null,
      outdated: input.outdated ?? null,
      after,
      limit: input.limit + 1,
    });
    const { rows, next } = cutPage(found, input.limit, (last) => formatNumberCursor('pending', last.id));
    return { page: { items: rows.map((row) => toPendingView(row).pending), next }, revision };
  });
}
