import type { CommitView } from '../domain/commit.js';
import { commitNotFound } from '../domain/refusals.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import { findCommit, listFirstChanges } from '../store/log.js';
import type { QueryContext } from './context.js';
import { toCommitView } from './steps/to-commit.js';

const maxChanges = 1_000;

/** One entry of the log. */
export async function getCommit(
  context: QueryContext,
  input: { revision: number },
): Promise<{ commit: CommitView; revision: number }> {
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    const row = await findCommit(snapshot, input.revision);
    if (row === null) throw commitNotFound(input.revision, revision);
    return {
      commit: toCommitView(row, await listFirstChanges(snapshot, [row.revision], maxChanges)),
      revision,
    };
  });
}
