import type { CommitView } from '../domain/commit.js';
import { commitNotFound } from '../domain/refusals.js';
import { findCommit, listFirstChanges } from '../store/log.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { toCommitView } from './steps/to-commit.js';

const maxChanges = 1_000;

/** One entry of the log. */
export async function getCommit(
  context: QueryContext,
  input: { revision: number },
): Promise<{ commit: CommitView; revision: number }> {
  return await atHead(context.db, async (snapshot, revision) => {
    const row = await findCommit(snapshot, input.revision);
    if (row === null) throw commitNotFound(input.revision, revision);
    return {
      commit: toCommitView(row, await listFirstChanges(snapshot, [row.revision], maxChanges)),
      revision,
    };
  });
}
