import type { CommitKind } from '../domain/commit.js';
import { bigints, booleans, byteStrings, integers, texts } from './arrays.js';
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
 * Appends commits of one moment to the log, and moves the head to the last of them. The database refuses what does not
 * continue the chain at once, and when the transaction ends what is not whole.
 */
export function appendCommits(tx: Tx, commits: CommitRow[]): void {
  const last = commits.at(-1);
  if (last === undefined) return;
  tx.send(
    `WITH moved AS (UPDATE head SET revision = $1, hash = $2, committed_at = $3)
     INSERT INTO commit (revision, kind, committed_at, author, message, changeset_id, reverts, forced, change_count, content,
                         previous_hash, hash)
     SELECT revision, kind, $3, author, message, changeset::uuid, reverts, forced, change_count, content, previous_hash, hash
     FROM unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::boolean[],
                 $11::integer[], $12::text[], $13::bytea[], $14::bytea[])
       AS added (revision, kind, author, message, changeset, reverts, forced, change_count, content, previous_hash, hash)`,
    [
      last.revision,
      last.hash,
      last.committedAt,
      bigints(commits.map((commit) => commit.revision)),
      texts(commits.map((commit) => commit.kind)),
      texts(commits.map((commit) => commit.author)),
      texts(commits.map((commit) => commit.message)),
      texts(commits.map((commit) => commit.changeset)),
      bigints(commits.map((commit) => commit.reverts)),
      booleans(commits.map((commit) => commit.forced)),
      integers(commits.map((commit) => commit.changeCount)),
      texts(commits.map((commit) => commit.content)),
      byteStrings(commits.map((commit) => commit.previousHash)),
      byteStrings(commits.map((commit) => commit.hash)),
    ],
  );
}

/**
 * Appends to the history and moves the pointers along, in one statement: the one that changes what readers see. The
 * database refuses entries that do not start where their record stood, and pointers that stand elsewhere than where
 * their history leads.
 */
export function moveRecords(tx: Tx, changes: ChangeRow[]): void {
  tx.send(
    `WITH moved AS MATERIALIZED (
       SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
         AS moved (revision, ordinal, record_id, collection_id, before_version_id, after_version_id)
     ), logged AS (
       INSERT INTO change (revision, ordinal, record_id, collection_id, before_version_id, after_version_id)
       SELECT * FROM moved
     )
     UPDATE record SET revision = moved.revision, current_version_id = moved.after_version_id
     FROM moved WHERE record.id = moved.record_id`,
    [
      bigints(changes.map((change) => change.revision)),
      integers(changes.map((change) => change.ordinal)),
      bigints(changes.map((change) => change.recordId)),
      bigints(changes.map((change) => change.collectionId)),
      bigints(changes.map((change) => change.beforeVersionId)),
      bigints(changes.map((change) => change.afterVersionId)),
    ],
  );
}
