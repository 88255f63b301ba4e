import type { ChangeSummary } from '../domain/commit.js';
import type { Page } from '../domain/record.js';
import { commitNotFound } from '../domain/refusals.js';
import { findCommit, listChanges } from '../store/log.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { cutPage, formatNumberCursor, readNumberCursor } from './steps/number-cursor.js';
import { toChangeSummary } from './steps/to-commit.js';

/** All changes of one commit, in their order. */
export async function listCommitChanges(
  context: QueryContext,
  input: { revision: number; limit: number; cursor?: string | undefined },
): Promise<{ page: Page<ChangeSummary>; revision: number }> {
  const list = `changes of ${input.revision}`;
  const after = readNumberCursor(list, input.cursor) ?? 0;
  return await atHead(context.db, async (snapshot, revision) => {
    if ((await findCommit(snapshot, input.revision)) === null) throw commitNotFound(input.revision, revision);
    const found = await listChanges(snapshot, input.revision, after, input.limit + 1);
    const { rows, next } = cutPage(found, input.limit, (last) => formatNumberCursor(list, last.ordinal));
    return { page: { items: rows.map(toChangeSummary), next }, revision };
  });
}
