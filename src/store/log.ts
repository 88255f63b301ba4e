import type { CommitKind } from '../domain/commit.js';
import type { FeedFilter } from '../domain/feed-change.js';
import { wholeCommit } from '../domain/feed-page.js';
import type { ChangeOperation } from '../domain/record.js';
import { textAfterPrefix } from '../domain/sort-value.js';
import type { Executor } from './db.js';
import { feedHorizon } from './horizon.js';
import { afterAllKeys, Parameters } from './list-conditions.js';
import { lookUp } from './look-up.js';

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

const changeOperation = `
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
const archivedBytes = (version: string) => `greatest(10 * octet_length(${version}.archive), 65536)`;

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

export interface FeedPosition {
  revision: number;
  ordinal: number;
}

/** Where the next changes are and how many bytes each carries, in the order of the log. */
export function listFeedPositions(
  executor: Executor,
  range: { after: FeedPosition; upTo: number; filter: FeedFilter; limit: number },
): Promise<(FeedPosition & { bytes: number })[]> {
  const parameters = new Parameters();
  const upTo = { revision: range.upTo, ordinal: wholeCommit };
  const source = selectFeed(parameters, { ...range, upTo });
  return executor.query(
    `SELECT h.revision, h.ordinal, coalesce(octet_length(b.content), 0) + coalesce(octet_length(a.content), 0) AS bytes
     FROM (${source} LIMIT ${parameters.add(range.limit, 'bigint')}) AS h
     ${lookUp('b', 'version', 'id', 'h.before_version_id')}
     ${lookUp('a', 'version', 'id', 'h.after_version_id')}
     ORDER BY h.revision, h.ordinal`,
    parameters.values,
  );
}

/** The revision of the change that comes so many after a position; null where there are not as many. */
export async function findFeedRevision(
  executor: Executor,
  range: { after: FeedPosition; upTo: number; filter: FeedFilter; distance: number },
): Promise<number | null> {
  const parameters = new Parameters();
  const upTo = { revision: range.upTo, ordinal: wholeCommit };
  const [row] = await executor.query<{ revision: number }>(
    `SELECT h.revision FROM (${selectFeed(parameters, { ...range, upTo })} OFFSET ${parameters.add(range.distance - 1, 'bigint')} LIMIT 1) AS h`,
    parameters.values,
  );
  return row?.revision ?? null;
}

/** The changes that a feed is made of, in its order: in the range, and such as pass the filter. */
function selectFeed(
  parameters: Parameters,
  range: { after: FeedPosition; upTo: FeedPosition; filter: FeedFilter },
): string {
  const { after, upTo, filter } = range;
  const at = ({ revision, ordinal }: FeedPosition) =>
    `(${parameters.add(revision, 'bigint')}, ${parameters.add(ordinal, 'integer')})`;
  // A statement of its own for one collection, so that it goes along the changes of that one only.
  const ofCollection =
    filter.collectionId === null
      ? ''
      : `AND h.collection_id = ${parameters.add(filter.collectionId, 'bigint')}`;
  const { record, ofKeys } = selectKeys(parameters, filter.keyPrefix);
  return `SELECT h.* FROM change h ${record}
          WHERE (h.revision, h.ordinal) > ${at(after)} AND (h.revision, h.ordinal) <= ${at(upTo)} ${ofCollection} ${ofKeys}
          ORDER BY h.revision, h.ordinal`;
}

/** Keys are compared with both ends of the range that a prefix is, which costs less than looking at their beginnings. */
function selectKeys(parameters: Parameters, keyPrefix: string | null): { record: string; ofKeys: string } {
  if (keyPrefix === null) return { record: '', ofKeys: '' };
  const from = parameters.add(keyPrefix, 'text');
  const to = parameters.add(textAfterPrefix(keyPrefix) ?? afterAllKeys, 'text');
  return {
    record: lookUp('n', 'record', 'id', 'h.record_id'),
    ofKeys: `AND n.key >= ${from} AND n.key < ${to}`,
  };
}

export interface FeedRow extends LoggedChangeRow {
  /** That of the feed at the moment of the reading; a change up to it may lack its contents. */
  horizon: number;
  beforeContent: string | null;
  afterContent: string | null;
  committedAt: Date;
  author: string;
  message: string | null;
}

/** The changes after one position up to and with another, with both records. */
export function listFeed(
  executor: Executor,
  range: { after: FeedPosition; upTo: FeedPosition; filter: FeedFilter },
): Promise<FeedRow[]> {
  const parameters = new Parameters();
  const horizon = feedHorizon(parameters.add(range.filter.collectionId, 'bigint'));
  // The page first: what it joins is then known to be little.
  return executor.query(
    `SELECT h.revision, h.ordinal, ${changeOperation}, c.name AS collection, r.key, b.number AS before, a.number AS after,
            b.content AS "beforeContent", a.content AS "afterContent", k.committed_at AS "committedAt", k.author, k.message,
            ${horizon} AS horizon
     FROM (${selectFeed(parameters, range)} OFFSET 0) AS h
     ${lookUp('k', 'commit', 'revision', 'h.revision')}
     ${lookUp('r', 'record', 'id', 'h.record_id')}
     ${lookUp('c', 'collection', 'id', 'h.collection_id')}
     ${lookUp('b', 'version', 'id', 'h.before_version_id')}
     ${lookUp('a', 'version', 'id', 'h.after_version_id')}
     ORDER BY h.revision, h.ordinal`,
    parameters.values,
  );
}
