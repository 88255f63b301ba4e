import type { PendingOperation } from '../domain/record.js';
import type { Executor, Tx } from './db.js';
import { memberOf } from './readers.js';
import { addresses, type RecordAddress, wantedRecords } from './records.js';

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
 * The records at these addresses that exist: locked in one order, which keeps others from staging into them until the
 * transaction ends, then read as they are by then. References to them are let be.
 */
export async function lockRowStandings(
  tx: Tx,
  changesetId: string | null,
  wanted: RecordAddress[],
): Promise<RowStandingRow[]> {
  const [, rows] = await Promise.all([
    tx.query(`SELECT r.id FROM ${wantedRecords} ORDER BY r.id FOR NO KEY UPDATE OF r`, addresses(wanted)),
    tx.query<RowStandingRow>(
      `SELECT r.id AS "recordId", r.key, v.id AS "currentVersionId", encode(v.digest, 'hex') AS "currentDigest",
              p.id AS "pendingId", p.operation AS "pendingOperation", encode(p.digest, 'hex') AS "pendingDigest"
       FROM ${wantedRecords}
       LEFT JOIN version v ON v.id = r.current_version_id
       LEFT JOIN ${memberOf('$3::uuid')} ON true`,
      [...addresses(wanted), changesetId],
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
