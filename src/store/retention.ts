import type { RetentionFacts } from '../domain/retention.js';
import type { Executor, Session, Tx } from './db.js';

/** One family of advisory locks (two integers) for retention: the collection's id, or 0 for the job itself. */
const lockFamily = 4718;

/** The lock of the job, which one instance has. No collection has this id. */
export const retentionJob = 0;

/**
 * Takes the lock of a collection (or of the job) for as long as the session lasts; false when somebody has it.
 * The work is done on the same connection, so whoever loses the lock by losing that cannot go on working.
 */
export async function tryLockRetention(session: Session, id: number): Promise<boolean> {
  const [row] = await session.query<{ free: boolean }>(`SELECT pg_try_advisory_lock($1, $2) AS free`, [
    lockFamily,
    id,
  ]);
  return row?.free === true;
}

/** A place among the versions of a collection: after this version of this record. */
export interface RetentionPosition {
  recordId: number;
  number: number;
}

export interface RetentionRow extends RetentionFacts {
  versionId: number;
  recordId: number;
  key: string;
  /** The revision at which it ceased to be current, for the last time. */
  supersededRevision: number | null;
  /** Of its content, while it has that. */
  bytes: number;
}

/** Which versions could go under a policy; what the search leaves out stays for certain. */
export interface RetentionSearch {
  /** Only those with at least so many newer ones. */
  behind: number;
  /** Only those that ceased to be current in this revision or before; null: whenever. */
  upToRevision: number | null;
  /** Archived ones as well. */
  archived: boolean;
}

const supersededRevision = (version: string) =>
  `(SELECT h.revision FROM change h WHERE h.before_version_id = ${version}.id ORDER BY h.revision DESC LIMIT 1)`;

const lastNumber = `(SELECT max(n.number) FROM version n WHERE n.record_id = r.id)`;

const selectFacts = (picked: string) => `
  SELECT v.id AS "versionId", r.id AS "recordId", r.key, v.number, ${lastNumber} AS "lastNumber",
         v.id = r.current_version_id IS TRUE AS current,
         EXISTS (SELECT FROM version p WHERE p.record_id = r.id AND p.revision IS NULL AND p.base_version_id = v.id) AS base,
         CASE WHEN v.content IS NOT NULL THEN 'kept' WHEN v.archive IS NOT NULL THEN 'archived' ELSE 'deleted' END AS data,
         k.revision AS "supersededRevision", k.committed_at AS "supersededAt", coalesce(octet_length(v.content), 0) AS bytes
  FROM ${picked}
  JOIN record r ON r.id = v.record_id
  LEFT JOIN commit k ON k.revision = ${supersededRevision('v')}`;

/** The facts about these versions, for deciding about them. */
export function findRetentionFacts(executor: Executor, versionIds: number[]): Promise<RetentionRow[]> {
  return executor.query(`${selectFacts('version v')} WHERE v.id = ANY ($1) ORDER BY v.record_id, v.number`, [
    versionIds,
  ]);
}

/** The last of the next records of a collection, up to so many; null when there are none. */
export async function findRecordRange(
  executor: Executor,
  collectionId: number,
  from: number,
  limit: number,
): Promise<{ last: number; count: number } | null> {
  const [row] = await executor.query<{ last: number | null; count: number }>(
    `SELECT max(id) AS last, count(*) AS count
     FROM (SELECT id FROM record WHERE collection_id = $1 AND id >= $2 ORDER BY id LIMIT $3) AS next`,
    [collectionId, from, limit],
  );
  return row === undefined || row.last === null ? null : { last: row.last, count: row.count };
}

/**
 * Committed versions of the records of a collection from a position up to and with a record, in the order of
 * records and numbers. With a search, only those that it does not leave out: reached by the partial indexes,
 * so that what has gone before is not passed again.
 */
export async function listRetentionFacts(
  executor: Executor,
  range: {
    collectionId: number;
    after: RetentionPosition;
    upTo: number;
    limit: number;
    search: RetentionSearch | null;
  },
): Promise<RetentionRow[]> {
  const { collectionId, after, upTo, limit, search } = range;
  const branch = (condition: string) => `
    SELECT v.id, v.number FROM version v
    WHERE v.record_id = r.id AND ${condition} AND v.number > CASE WHEN r.id = $2::bigint THEN $3::integer ELSE 0 END
    ${
      search === null
        ? ''
        : `AND v.number <= ${lastNumber} - $6::integer AND v.revision < $7::bigint AND v.id IS DISTINCT FROM r.current_version_id
           AND ${supersededRevision('v')} <= $7::bigint`
    }`;
  const branches =
    search === null
      ? [branch('v.revision IS NOT NULL')]
      : [branch('v.readable'), ...(search.archived ? [branch('v.archive IS NOT NULL')] : [])];
  const picked = await executor.query<{ id: number }>(
    `SELECT found.id
     FROM record r
     CROSS JOIN LATERAL (SELECT * FROM (${branches.join(' UNION ALL ')}) AS v ORDER BY v.number LIMIT $5) AS found
     WHERE r.collection_id = $1 AND r.id BETWEEN $2 AND $4
     ORDER BY r.id, found.number LIMIT $5`,
    [
      collectionId,
      after.recordId,
      after.number,
      upTo,
      limit,
      ...(search === null ? [] : [search.behind, search.upToRevision ?? Number.MAX_SAFE_INTEGER]),
    ],
  );
  if (picked.length === 0) return [];
  return await findRetentionFacts(
    executor,
    picked.map((version) => version.id),
  );
}

/** The database's clock, cut to milliseconds. */
export async function findNow(executor: Executor): Promise<Date> {
  const [row] = await executor.query<{ now: Date }>(
    `SELECT date_trunc('milliseconds', clock_timestamp()) AS now`,
  );
  if (row === undefined) throw new Error('the clock has stopped');
  return row.now;
}

/** The last revision of this time or before; 0 when there is none. Times of commits never go back. */
export async function findLastRevision(executor: Executor, time: Date): Promise<number> {
  const [row] = await executor.query<{ revision: number }>(
    `SELECT revision FROM commit WHERE committed_at <= $1 ORDER BY committed_at DESC, revision DESC LIMIT 1`,
    [time],
  );
  return row?.revision ?? 0;
}

/** The contents of versions, as they are stored. */
export function listContents(
  executor: Executor,
  versionIds: number[],
): Promise<{ id: number; content: string | null }[]> {
  return executor.query(`SELECT id, content FROM version WHERE id = ANY ($1)`, [versionIds]);
}

/**
 * Keeps definition and horizon of a collection as they are until the transaction ends. Exclusively where the
 * horizon is to move; staging, which holds the row as well, is in the way of that only.
 */
export async function lockHorizon(
  tx: Tx,
  collectionId: number,
  mode: 'move' | 'keep',
): Promise<{ definitionId: number | null; horizon: number } | null> {
  await tx.query(
    `SELECT id FROM collection WHERE id = $1 FOR ${mode === 'move' ? 'NO KEY UPDATE' : 'SHARE'}`,
    [collectionId],
  );
  const [row] = await tx.query<{ definitionId: number | null; horizon: number }>(
    `SELECT definition_id AS "definitionId", horizon FROM collection WHERE id = $1`,
    [collectionId],
  );
  return row ?? null;
}

/** Moves the horizon; the database refuses a step back. */
export async function moveHorizon(tx: Tx, collectionId: number, horizon: number): Promise<void> {
  await tx.query(`UPDATE collection SET horizon = $2 WHERE id = $1`, [collectionId, horizon]);
}

/** Locks those of these records that nobody else has locked; nothing waits for anybody. */
export async function lockFreeRecords(tx: Tx, recordIds: number[]): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(
    `SELECT id FROM record WHERE id = ANY ($1) ORDER BY id FOR UPDATE SKIP LOCKED`,
    [recordIds],
  );
  return rows.map((row) => row.id);
}

/**
 * Locks those of these versions, of locked records, that nobody holds: whoever is about to base a pending version
 * on one holds it, and has done so, or not, when the locks are there. Nothing waits for anybody.
 */
export async function lockFreeVersions(tx: Tx, versionIds: number[], recordIds: number[]): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(
    `SELECT id FROM version WHERE id = ANY ($1) AND record_id = ANY ($2) ORDER BY id FOR UPDATE SKIP LOCKED`,
    [versionIds, recordIds],
  );
  return rows.map((row) => row.id);
}

/**
 * Takes the content out of versions, leaving its archive (null: nothing). The database refuses it for what is
 * current, the base of a pending version, or above the horizon.
 */
export async function expireVersions(
  tx: Tx,
  versions: { id: number; archive: Buffer | null }[],
): Promise<void> {
  await tx.query(
    `UPDATE version SET content = NULL, archive = gone.archive, expired_at = clock_timestamp()
     FROM unnest($1::bigint[], $2::bytea[]) AS gone (id, archive) WHERE version.id = gone.id`,
    [versions.map((version) => version.id), versions.map((version) => version.archive)],
  );
}

/** Where retention stands in a collection. */
export interface RetentionRun extends RetentionPosition {
  startedAt: Date;
  /** Null while it is under way, or has been interrupted. */
  finishedAt: Date | null;
  archived: number;
  deleted: number;
}

export async function findRetentionRun(
  executor: Executor,
  collectionId: number,
): Promise<RetentionRun | null> {
  const [row] = await executor.query<RetentionRun>(
    `SELECT position AS "recordId", number, started_at AS "startedAt", finished_at AS "finishedAt", archived, deleted
     FROM retention WHERE collection_id = $1`,
    [collectionId],
  );
  return row ?? null;
}

/** Starts a run, or goes on with the one that was interrupted, if that was for the same definition. */
export async function beginRetentionRun(
  tx: Tx,
  collectionId: number,
  definitionId: number,
): Promise<RetentionRun> {
  await tx.query(
    `INSERT INTO retention (collection_id, definition_id) VALUES ($1, $2)
     ON CONFLICT (collection_id) DO UPDATE
       SET position = 0, number = 0, definition_id = $2, started_at = clock_timestamp(), finished_at = NULL,
           archived = 0, deleted = 0
       WHERE retention.finished_at IS NOT NULL OR retention.definition_id <> $2`,
    [collectionId, definitionId],
  );
  const run = await findRetentionRun(tx, collectionId);
  if (run === null) throw new Error('a retention run that was just begun is not there');
  return run;
}

/** Notes how far a run has come, in the transaction of what it did; `finished` ends it. */
export async function moveRetentionRun(
  tx: Tx,
  collectionId: number,
  step: { to: RetentionPosition; archived: number; deleted: number; finished: boolean },
): Promise<void> {
  await tx.query(
    `UPDATE retention SET position = $2, number = $3, archived = archived + $4, deleted = deleted + $5,
            finished_at = CASE WHEN $6 THEN clock_timestamp() END
     WHERE collection_id = $1`,
    [collectionId, step.to.recordId, step.to.number, step.archived, step.deleted, step.finished],
  );
}

/**
 * Lets the transaction end without waiting for the disk. A crash may undo the last of them, each as a whole:
 * the content is back, the horizon and the position too, and the next run does it again. What others commit
 * later stands behind it in the same log, so nothing that was acknowledged can depend on what was lost.
 */
export async function commitWithoutFlush(tx: Tx): Promise<void> {
  await tx.query(`SET LOCAL synchronous_commit = off`);
}

/** The collections that have a definition, the oldest first. */
export function listCollectionsInForce(executor: Executor): Promise<{ id: number; name: string }[]> {
  return executor.query(`SELECT id, name FROM collection WHERE definition_id IS NOT NULL ORDER BY id`);
}
