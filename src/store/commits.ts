import type { CommitKind } from '../domain/commit.js';
import type { Tx } from './db.js';

/** One row of the log, complete with its place in the chain. */
export interface CommitRow {
  revision: number;
  kind: CommitKind;
  committedAt: Date;
  author: string;
  message: string | null;
  changeset: string | null;
  reverts: number | null;
  forced: boolean;
  changeCount: number;
  /** The canonical JSON that `hash` covers. */
  content: string;
  previousHash: Buffer;
  hash: Buffer;
}

/** One row of the history; NULL versions mean "not live". */
export interface ChangeRow {
  revision: number;
  ordinal: number;
  recordId: number;
  collectionId: number;
  beforeVersionId: number | null;
  afterVersionId: number | null;
}

/**
 * Appends to the log, and moves the head to the last of these commits. The database refuses what does not continue the
 * chain at once, and when the transaction ends what is not whole.
 */
export function appendCommits(tx: Tx, commits: CommitRow[]): void {
  const last = commits.at(-1);
  if (last === undefined) return;
  tx.send(
    `WITH moved AS (UPDATE head SET revision = $13, hash = $14, committed_at = $15)
     INSERT INTO commit (revision, kind, committed_at, author, message, changeset_id, reverts, forced, change_count, content,
                         previous_hash, hash)
     SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::uuid[], $7::bigint[],
                          $8::boolean[], $9::integer[], $10::text[], $11::bytea[], $12::bytea[])`,
    [
      commits.map((commit) => commit.revision),
      commits.map((commit) => commit.kind),
      commits.map((commit) => commit.committedAt),
      commits.map((commit) => commit.author),
      commits.map((commit) => commit.message),
      commits.map((commit) => commit.changeset),
      commits.map((commit) => commit.reverts),
      commits.map((commit) => commit.forced),
      commits.map((commit) => commit.changeCount),
      commits.map((commit) => commit.content),
      commits.map((commit) => commit.previousHash),
      commits.map((commit) => commit.hash),
      last.revision,
      last.hash,
      last.committedAt,
    ],
  );
}

/** Appends to the history. The database refuses entries that do not start where their record stood, and at the end those that its pointer has not followed. */
export function appendChanges(tx: Tx, changes: ChangeRow[]): void {
  tx.send(
    `INSERT INTO change (revision, ordinal, record_id, collection_id, before_version_id, after_version_id)
     SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])`,
    [
      changes.map((change) => change.revision),
      changes.map((change) => change.ordinal),
      changes.map((change) => change.recordId),
      changes.map((change) => change.collectionId),
      changes.map((change) => change.beforeVersionId),
      changes.map((change) => change.afterVersionId),
    ],
  );
}
