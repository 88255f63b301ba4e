import { type ChangesetState, type ChangesetView, toChangesetView } from '../domain/changeset.js';
import type { Page } from '../domain/record.js';
import { listChangesets as listRows } from '../store/changesets.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { cutPage, formatNumberCursor, readNumberCursor } from './steps/number-cursor.js';

/** Changesets, newest first. */
export async function listChangesets(
  context: QueryContext,
  input: { state?: ChangesetState | undefined; limit: number; cursor?: string | undefined },
): Promise<{ page: Page<ChangesetView>; revision: number }> {
  const { state = null, limit } = input;
  const list = `changesets ${state ?? ''}`;
  const below = readNumberCursor(list, input.cursor);
  return await atHead(context.db, async (snapshot, revision) => {
    const found = await listRows(snapshot, { state, below, limit: limit + 1 });
    const { rows, next } = cutPage(found, limit, (last) => formatNumberCursor(list, last.ordinal));
    return { page: { items: rows.map((row) => toChangesetView(row).changeset), next }, revision };
  });
}
