import type { CommitView } from '../domain/commit.js';
import type { Page } from '../domain/record.js';
import { listFirstChanges, listCommits as listRows } from '../store/log.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { cutPage, formatNumberCursor, readNumberCursor } from './steps/number-cursor.js';
import { toCommitView } from './steps/to-commit.js';

/** A list shows this many changes of each commit; the commit itself shows up to 1,000, its changes all. */
const changesPerCommit = 20;

/** The commit log, newest first. */
export async function listCommits(
  context: QueryContext,
  input: { limit: number; cursor?: string | undefined },
): Promise<{ page: Page<CommitView>; revision: number }> {
  const below = readNumberCursor('commits', input.cursor);
  return await atHead(context.db, async (snapshot, revision) => {
    const found = await listRows(snapshot, below, input.limit + 1);
    const { rows, next } = cutPage(found, input.limit, (last) =>
      formatNumberCursor('commits', last.revision),
    );
    const changes = await listFirstChanges(
      snapshot,
      rows.map((row) => row.revision),
      changesPerCommit,
    );
    return { page: { items: rows.map((row) => toCommitView(row, changes)), next }, revision };
  });
}
