import { toPendingView } from '../domain/pending-view.js';
import type { PendingView } from '../domain/record.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { QueryContext } from './context.js';
import { requirePending } from './steps/find-pending.js';

/** The version that is being prepared. */
export async function getPending(
  context: QueryContext,
  input: { collection: string; key: string; changeset: string | null },
): Promise<{ pending: PendingView; tag: string; revision: number }> {
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    const { stored } = await requirePending(snapshot, input);
    return { ...toPendingView(stored), revision };
  });
}
