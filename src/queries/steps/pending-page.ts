import { toPendingView } from '../../domain/pending-view.js';
import type { Page, PendingView } from '../../domain/record.js';
import type { Executor } from '../../store/db.js';
import { listPending } from '../../store/versions.js';
import { formatNumberCursor, readNumberCursor } from './number-cursor.js';

/** A page of pending versions in the order in which they were started; it ends early where they are large. */
export async function readPendingPage(
  executor: Executor,
  input: {
    collection: string | null;
    changeset: string | null;
    outdated: boolean | null;
    limit: number;
    cursor?: string | undefined;
  },
): Promise<Page<PendingView>> {
  const { changeset, limit } = input;
  const list = `pending ${changeset ?? ''}`;
  const after = readNumberCursor(list, input.cursor) ?? 0;
  const rows = await listPending(executor, { ...input, changesetId: changeset, after, limit });
  const last = rows.at(-1);
  return {
    items: rows.map((row) => toPendingView(row).pending),
    next: last?.more ? formatNumberCursor(list, last.id) : null,
  };
}
