import type { CommitKind } from '../domain/commit.js';
import type { ChangeOperation } from '../domain/record.js';
import type { Executor } from './db.js';

export interface LogRow {
  revision: number;
  kind: CommitKind;
  committedAt: Date;
  author: string;
  message: string | null;
  changeset: string | null;
  reverts: number | null;
  forced: boolean;
  changeCount: number;
  content: string;
  hash: Buffer;
  previousHash: Buffer;
}

const selectCommit = `
  SELECT k.revision, k.kind, k.committed_at AS "committedAt", k.author, k.message, k.changeset_id AS changeset, k.reverts,
         k.forced, k.change_count AS "changeCount", k.content, k.hash, k.previous_hash AS "previousHash"
  FROM commit k`;

/** Commits, newest first, below a revision. */
export function listCommits(executor: Executor, below: number | null, limit: number): Promise<LogRow[]> {
  return executor.query(
    `${selectCommit} WHERE k.revision < coalesce($1::bigint, ${Number.MAX_SAFE_INTEGER}) ORDER BY k.revision DESC LIMIT $2`,
    [below, limit],
  );
}

/** Commits from one revision to another, oldest first; only those of `revisions` where they are given. */
export function listCommitsBetween(
  executor: Executor,
  range: { from: number; upTo: number; revisions: number[] | null; limit: number },
): Promise<LogRow[]> {
  const { from, upTo, revisions, limit } = range;
  return executor.query(
    `${selectCommit} WHERE k.revision BETWEEN $1 AND $2 ${revisions === null ? '' : 'AND k.revision = ANY ($4)'}
     ORDER BY k.revision LIMIT $3`,
    [from, upTo, limit, ...(revisions === null ? [] : [revisions])],
  );
}

/** One commit, or null. */
export async function findCommit(executor: Executor, revision: number): Promise<LogRow | null> {
  return (await executor.query<LogRow>(`${selectCommit} WHERE k.revision = $1`, [revision]))[0] ?? null;
}

export interface LoggedChangeRow {
  revision: number;
  ordinal: number;
  operation: ChangeOperation;
  collection: string;
  key: string;
  before: number | null;
  after: number | null;
}

export const changeOperation = `
  CASE WHEN h.before_version_id IS NULL THEN 'create' WHEN h.after_version_id IS NULL THEN 'delete' ELSE 'update' END AS operation`;

/** Of the rows of `change` that `from` names as h. */
const selectChange = (from: string) => `
  SELECT h.revision, h.ordinal, ${changeOperation}, c.name AS collection, r.key, b.number AS before, a.number AS after
  FROM ${from}
  JOIN record r ON r.id = h.record_id
  JOIN collection c ON c.id = h.collection_id
  LEFT JOIN version b ON b.id = h.before_version_id
  LEFT JOIN version a ON a.id = h.after_version_id`;

/** The changes of these commits, up to `limit` of each. */
export function listFirstChanges(
  executor: Executor,
  revisions: number[],
  limit: number,
): Promise<LoggedChangeRow[]> {
  return executor.query(
    `${selectChange('change h')} WHERE h.revision = ANY ($1) AND h.ordinal <= $2 ORDER BY h.revision, h.ordinal`,
    [revisions, limit],
  );
}

/** The changes of one commit after an ordinal. */
export function listChanges(
  executor: Executor,
  revision: number,
  after: number,
  limit: number,
): Promise<LoggedChangeRow[]> {
  return executor.query(
    // The page first: what it joins is then known to be little.
    `${selectChange('(SELECT * FROM change WHERE revision = $1 AND ordinal > $2::bigint ORDER BY ordinal LIMIT $3) AS h')}
     ORDER BY h.ordinal`,
    [revision, after, limit],
  );
}

/** A batch of changes that are to be undone brings at most this many bytes of content along, or one change. */
const maxBatchBytes = 8 * 1024 * 1024;

/**
 * Bytes that come out of an archive, as far as can be told from outside: ten times its own, and more of a tiny one,
 * which may be one character over and over.
 */
const archivedBytes = (version: string) =>
  `CASE WHEN ${version}.archive IS NOT NULL THEN greatest(10 * octet_length(${version}.archive), 65536) END`;

/**
 * The changes of one commit after an ordinal: fewer than `limit` where what their records hold now and held before
 * is large, so that both can be read for all of them. None at the end.
 */
export function listChangesToUndo(
  executor: Executor,
  revision: number,
  after: number,
  limit: number,
): Promise<LoggedChangeRow[]> {
  const page = `
    SELECT h.*, sum(bytes) OVER (ORDER BY h.ordinal) - bytes AS bytes_before
    FROM (
      SELECT h.*, coalesce(octet_length(k.content), 0) + coalesce(octet_length(b.content), ${archivedBytes('b')}, 0) AS bytes
      FROM (SELECT * FROM change WHERE revision = $1 AND ordinal > $2::bigint ORDER BY ordinal LIMIT $3) AS h
      JOIN record r ON r.id = h.record_id
      LEFT JOIN version k ON k.id = r.current_version_id
      LEFT JOIN version b ON b.id = h.before_version_id
    ) AS h`;
  return executor.query(
    `${selectChange(`(${page}) AS h`)} WHERE h.bytes_before < ${maxBatchBytes} ORDER BY h.ordinal`,
    [revision, after, limit],
  );
}
