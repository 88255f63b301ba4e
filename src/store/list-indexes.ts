import type { StoredIndex } from '../domain/collection-view.js';
import type { Executor, Tx } from './db.js';
import { lookUp } from './look-up.js';

/** The indexes that the definition of a collection asks for. */
export function findListIndexes(executor: Executor, collectionId: number): Promise<StoredIndex[]> {
  return executor.query(
    `SELECT pointer, state, rows_done AS "rowsDone" FROM list_index
     WHERE collection_id = $1 AND state <> 'removing' ORDER BY id`,
    [collectionId],
  );
}

/** An index that there is work on. */
export interface UnfinishedIndex {
  id: number;
  collectionId: number;
  collection: string;
  pointer: string;
  state: 'building' | 'removing';
  position: number;
}

/** The lock of whoever works on indexes: apart from the family that retention has. */
const lockFamily = 4719;

/** Takes the lock until the transaction ends; false when somebody has it. */
export async function tryLockIndexes(tx: Tx): Promise<boolean> {
  const [row] = await tx.query<{ free: boolean }>(`SELECT pg_try_advisory_xact_lock($1, 0) AS free`, [
    lockFamily,
  ]);
  return row?.free === true;
}

/** The next index that is to be built or removed, or null. */
export async function findUnfinishedIndex(executor: Executor): Promise<UnfinishedIndex | null> {
  const [row] = await executor.query<UnfinishedIndex>(
    `SELECT i.id, c.id AS "collectionId", c.name AS collection, i.pointer, i.state, i.position
     FROM list_index i JOIN collection c ON c.id = i.collection_id WHERE i.state <> 'ready' ORDER BY i.id LIMIT 1`,
  );
  return row ?? null;
}

/**
 * Enters the next records, up to so many; answers how many there were, 0 at the end. No record is locked: an entry
 * that is there already is that of a commit, which knows better.
 */
export async function enterRecords(tx: Tx, index: UnfinishedIndex, limit: number): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `WITH batch AS MATERIALIZED (
       SELECT r.id, r.key, r.current_version_id FROM record r
       WHERE r.collection_id = $4 AND r.id > $2 AND (SELECT state = 'building' FROM list_index WHERE id = $1)
       ORDER BY r.id LIMIT $3
     ), entered AS (
       INSERT INTO index_entry (index_id, record_id, value, key)
       SELECT $1, b.id, sort_value(v.content::jsonb #> (SELECT path FROM list_index WHERE id = $1)), b.key
       FROM batch b ${lookUp('v', 'version', 'id', 'b.current_version_id')}
       WHERE b.current_version_id IS NOT NULL ORDER BY b.id
       ON CONFLICT (index_id, record_id) DO NOTHING
     ), moved AS (
       UPDATE list_index SET position = (SELECT max(id) FROM batch), rows_done = rows_done + (SELECT count(*) FROM batch)
       WHERE id = $1 AND EXISTS (SELECT FROM batch)
     )
     SELECT count(*) FROM batch`,
    [index.id, index.position, limit, index.collectionId],
  );
  return row?.count ?? 0;
}

/** Lets lists use an index that has all records. */
export async function markReady(tx: Tx, id: number): Promise<void> {
  await tx.query(`UPDATE list_index SET state = 'ready' WHERE id = $1 AND state = 'building'`, [id]);
}

/** Forgets what was deleted while the index was being built, once the commit has ended that may still do so. */
export async function removeMarks(tx: Tx, id: number): Promise<void> {
  await tx.query(`SELECT FROM head FOR SHARE`);
  await tx.query(`DELETE FROM index_entry WHERE index_id = $1 AND value = '\\xff'::bytea`, [id]);
}

/** Removes entries of an index that is not wanted any more, up to so many, and it itself with the last of them. */
export async function removeEntries(tx: Tx, id: number, limit: number): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `WITH gone AS (
       DELETE FROM index_entry WHERE index_id = $1
         AND record_id = ANY (ARRAY(SELECT record_id FROM index_entry WHERE index_id = $1 ORDER BY record_id LIMIT $2))
       RETURNING record_id
     ), ended AS (
       DELETE FROM list_index WHERE id = $1 AND state = 'removing'
         AND NOT EXISTS (SELECT FROM index_entry WHERE index_id = $1 OFFSET $2::bigint - 1)
     )
     SELECT count(*) FROM gone`,
    [id, limit],
  );
  return row?.count ?? 0;
}
