import type { Executor } from './db.js';

/** What one batch holds at most: a record may have a megabyte, and most have a kilobyte. */
const batchRows = 500;
const batchBytes = 4 * 1024 * 1024;

/** Cuts `candidates` (id, position, bytes) off where they become large, and keeps one of them at least. */
const bounded = (candidates: string) => `
  SELECT id, position FROM (
    SELECT id, position, sum(bytes) OVER (ORDER BY position) - bytes AS bytes_before FROM (${candidates}) AS candidate
  ) AS measured WHERE bytes_before < ${batchBytes}`;

export interface LiveContent {
  recordId: number;
  key: string;
  content: string;
}

const liveColumns = `r.id AS "recordId", r.key, v.content`;

/**
 * The next live records of a collection, in the order of their keys, for which there is an index. The records
 * are taken first and joined then, so that no plan goes through the whole collection for each batch.
 */
export function listLiveContent(
  executor: Executor,
  collectionId: number,
  afterKey: string,
): Promise<LiveContent[]> {
  return executor.query(
    `SELECT ${liveColumns}
     FROM (${bounded(`
       SELECT next.id, next.key AS position, octet_length(v.content) AS bytes
       FROM (
         SELECT r.id, r.key, r.current_version_id FROM record r
         WHERE r.collection_id = $1 AND r.key > $2 AND r.live ORDER BY r.key LIMIT ${batchRows}
       ) AS next JOIN version v ON v.id = next.current_version_id`)}) AS batch
     JOIN record r ON r.id = batch.id JOIN version v ON v.id = r.current_version_id ORDER BY batch.position`,
    [collectionId, afterKey],
  );
}

/** The next records of a collection that changed after a revision, live or not; content is null of deleted ones. */
export function listChangedContent(
  executor: Executor,
  at: { collectionId: number; revision: number; after: number },
): Promise<(Omit<LiveContent, 'content'> & { content: string | null })[]> {
  return executor.query(
    `SELECT ${liveColumns}
     FROM (${bounded(`
       SELECT r.id, r.id AS position, coalesce(octet_length(v.content), 0) AS bytes
       FROM record r LEFT JOIN version v ON v.id = r.current_version_id
       WHERE r.id IN (SELECT h.record_id FROM change h WHERE h.collection_id = $1 AND h.revision > $2) AND r.id > $3
       ORDER BY r.id LIMIT ${batchRows}`)}) AS batch
     JOIN record r ON r.id = batch.id LEFT JOIN version v ON v.id = r.current_version_id ORDER BY r.id`,
    [at.collectionId, at.revision, at.after],
  );
}

/** Whether more than `limit` records of a collection changed after a revision. */
export async function haveManyChanged(
  executor: Executor,
  at: { collectionId: number; revision: number; limit: number },
): Promise<boolean> {
  const rows = await executor.query(
    `SELECT FROM change h WHERE h.collection_id = $1 AND h.revision > $2 LIMIT $3`,
    [at.collectionId, at.revision, at.limit + 1],
  );
  return rows.length > at.limit;
}

export interface PendingContent {
  pendingId: number;
  recordId: number;
  key: string;
  changesetId: string | null;
  /** Null on a deletion. */
  content: string | null;
  currentContent: string | null;
}

const pendingColumns = `
  v.id AS "pendingId", v.record_id AS "recordId", r.key, v.changeset_id AS "changesetId", v.content, k.content AS "currentContent"`;
const pendingJoins = `
  JOIN record r ON r.id = v.record_id LEFT JOIN version k ON k.id = r.current_version_id`;

/** The next pending versions of a collection, in the order of their ids, with what they would replace. */
export function listPendingContent(
  executor: Executor,
  collectionId: number,
  after: number,
): Promise<PendingContent[]> {
  return executor.query(
    `SELECT ${pendingColumns}
     FROM (${bounded(`
       SELECT v.id, v.id AS position, coalesce(octet_length(v.content), 0) + coalesce(octet_length(k.content), 0) AS bytes
       FROM version v ${pendingJoins}
       WHERE r.collection_id = $1 AND coalesce(v.number, 0) = 0 AND v.id > $2 ORDER BY v.id LIMIT ${batchRows}`)}) AS batch
     JOIN version v ON v.id = batch.id ${pendingJoins} ORDER BY v.id`,
    [collectionId, after],
  );
}

/** Some live records, in the order of their keys. */
export function findLiveContent(executor: Executor, recordIds: number[]): Promise<LiveContent[]> {
  return executor.query(
    `SELECT ${liveColumns} FROM record r JOIN version v ON v.id = r.current_version_id WHERE r.id = ANY ($1) ORDER BY r.key`,
    [recordIds],
  );
}

/** Some pending versions, in the order of their ids. */
export function findPendingContent(executor: Executor, pendingIds: number[]): Promise<PendingContent[]> {
  return executor.query(
    `SELECT ${pendingColumns} FROM version v ${pendingJoins} WHERE v.id = ANY ($1) ORDER BY v.id`,
    [pendingIds],
  );
}
