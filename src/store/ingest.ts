import type { PendingOperation } from '../domain/record.js';
import type { Executor, Tx } from './db.js';

/** Where a record stands: digests of its current version and of its pending one in a changeset, or outside of any. */
export interface RowStandingRow {
  recordId: number;
  key: string;
  currentVersionId: number | null;
  currentDigest: string | null;
  pendingId: number | null;
  pendingOperation: PendingOperation | null;
  pendingDigest: string | null;
}

/**
 * Alias `r`: the records of collection $1 with the keys $2. One look-up by both for each: as a join, planned from the
 * statistics of a small table, it went through the whole collection for each key.
 */
const keyedRecords = `
  unnest($2::text[]) AS wanted (key)
  CROSS JOIN LATERAL (SELECT * FROM record WHERE collection_id = $1::bigint AND key = wanted.key LIMIT 1) AS r`;

/**
 * Alias `p` of a record `r`: its pending version in a changeset, or outside of any. What has no number is pending.
 * Written so that it can only be found by its record: the indexes of all that waits look as good while little does,
 * and then each row of a large call would go through them.
 */
const pendingOf = (changesetId: string) => `
  LATERAL (
    SELECT m.id, m.operation, m.digest FROM version m
    WHERE m.record_id = r.id AND m.number IS NULL
      AND coalesce(m.changeset_id::text, '') = coalesce((${changesetId})::text, '')
    LIMIT 1
  ) AS p`;

/**
 * The records of a collection with these keys, as far as they exist: locked in the order of their ids, which keeps
 * others from staging into them until the transaction ends, then read as they are by then. References to them are
 * let be.
 */
export async function lockRowStandings(
  tx: Tx,
  { collectionId, changesetId }: { collectionId: number; changesetId: string | null },
  keys: string[],
): Promise<RowStandingRow[]> {
  const [, rows] = await Promise.all([
    tx.query(
      `SELECT id FROM record WHERE id = ANY (ARRAY(SELECT r.id FROM ${keyedRecords})) ORDER BY id FOR NO KEY UPDATE`,
      [collectionId, keys],
    ),
    tx.query<RowStandingRow>(
      `SELECT r.id AS "recordId", r.key, v.id AS "currentVersionId", encode(v.digest, 'hex') AS "currentDigest",
              p.id AS "pendingId", p.operation AS "pendingOperation", encode(p.digest, 'hex') AS "pendingDigest"
       FROM ${keyedRecords}
       LEFT JOIN version v ON v.id = r.current_version_id
       LEFT JOIN ${pendingOf('$3::uuid')} ON true`,
      [collectionId, keys, changesetId],
    ),
  ]);
  return rows;
}

/** The keys of the records of a collection that a commit moved. */
export async function findMovedKeys(
  executor: Executor,
  at: { revision: number; collection: string },
): Promise<Set<string>> {
  const rows = await executor.query<{ key: string }>(
    `SELECT r.key FROM change h JOIN record r ON r.id = h.record_id JOIN collection c ON c.id = r.collection_id
     WHERE h.revision = $1 AND c.name = $2`,
    [at.revision, at.collection],
  );
  return new Set(rows.map(({ key }) => key));
}
