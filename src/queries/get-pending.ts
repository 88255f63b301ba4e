import { toPendingView } from '../domain/pending-view.js';
import type { PendingView } from '../domain/record.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { requirePending } from './steps/find-pending.js';

/** The version that is being prepared. */
export async function getPending(
  context: QueryContext,
  input: { collection: string; key: string; changeset: string | null },
): Promise<{ pending: PendingView; tag: string; revision: number }> {
  return await atHead(context.db, async (snapshot, revision) => {
    const { stored } = await requirePending(snapshot, input);
    return { ...toPendingView(stored), revision };
  });
}
