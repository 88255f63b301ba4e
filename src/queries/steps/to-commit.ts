import type { ChangeSummary, CommitView } from '../../domain/commit.js';
import type { LoggedChangeRow, LogRow } from '../../store/log.js';

export function toChangeSummary({
  collection,
  key,
  operation,
  before,
  after,
}: LoggedChangeRow): ChangeSummary {
  return { collection, key, operation, before, after };
}

/** One entry of the log with the first of its changes. */
export function toCommitView(row: LogRow, changes: LoggedChangeRow[]): CommitView {
  // What the hash covers is the truth about the entry, so what has no column of its own is read from there.
  const { changesDigest, definition, definitions = [] } = JSON.parse(row.content);
  return {
    revision: row.revision,
    kind: row.kind,
    committedAt: row.committedAt.toISOString(),
    author: row.author,
    message: row.message,
    changeset: row.changeset,
    reverts: row.reverts,
    forced: row.forced,
    definition,
    definitions,
    changeCount: row.changeCount,
    changes: changes.filter((change) => change.revision === row.revision).map(toChangeSummary),
    changesDigest,
    hash: row.hash.toString('hex'),
    previousHash: row.previousHash.toString('hex'),
  };
}
