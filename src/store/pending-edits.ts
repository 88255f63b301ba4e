import type { StoredResolution } from '../domain/rebase.js';
import type { StoredValidation } from '../domain/validation-state.js';
import type { Tx } from './db.js';
import { addresses, type RecordAddress } from './records.js';

/** Whoever may not wait gives up after this time, before the server looks for a deadlock. */
const shortWait = '50ms';

/**
 * Lets records exist that did not when they were looked for, in one order; answers those that were made. Somebody
 * else was faster with the others. Readers see nothing of them.
 *
 * @param wait whether to wait for somebody else who is making one of them and has not committed yet
 */
export async function insertFreshRecords(
  tx: Tx,
  wanted: RecordAddress[],
  wait: boolean,
): Promise<(RecordAddress & { id: number })[]> {
  if (wait) return await insertRecordsOnce(tx, wanted);
  tx.send(`SELECT set_config('lock_timeout', '${shortWait}', true)`);
  const made = insertRecordsOnce(tx, wanted);
  tx.send(
    `SELECT set_config('lock_timeout', (SELECT reset_val FROM pg_settings WHERE name = 'lock_timeout'), true)`,
  );
  return await made;
}

function insertRecordsOnce(tx: Tx, wanted: RecordAddress[]): Promise<(RecordAddress & { id: number })[]> {
  return tx.query(
    `INSERT INTO record (collection_id, key)
     SELECT collection_id, key FROM unnest($1::bigint[], $2::text[]) AS wanted (collection_id, key)
     ORDER BY collection_id, key COLLATE "C"
     ON CONFLICT (collection_id, key) DO NOTHING
     RETURNING id, collection_id AS "collectionId", key`,
    addresses(wanted),
  );
}

/** What a pending version shall hold. */
export interface EditedContent {
  /** null: the deletion of the record. */
  content: string | null;
  /** In hexadecimal. */
  digest: string | null;
  message: string | null;
  author: string;
}

const contentColumns = (rows: EditedContent[]) => [
  rows.map((row) => row.content),
  rows.map((row) => row.digest),
  rows.map((row) => row.message),
  rows.map((row) => row.author),
];

/** What the database has made of an edit. */
export interface EditedRow {
  id: number;
  recordId: number;
  edit: number;
  stagedAt: Date;
  updatedAt: Date;
}

const editedColumns = `
  version.id, version.record_id AS "recordId", version.edit, version.staged_at AS "stagedAt", version.updated_at AS "updatedAt"`;

/** Starts pending versions of records that are locked. */
export function insertPendings(
  tx: Tx,
  changesetId: string | null,
  rows: (EditedContent & { recordId: number; baseVersionId: number | null })[],
): Promise<EditedRow[]> {
  return tx.query(
    `INSERT INTO version (record_id, changeset_id, base_version_id, operation, content, digest, message, staged_by, staged_at, updated_at)
     SELECT record_id, $1, base_version_id, CASE WHEN content IS NULL THEN 'delete' ELSE 'upsert' END, content,
            decode(digest, 'hex'), message, ARRAY[author], now, now
     FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
            AS added (record_id, base_version_id, content, digest, message, author),
          clock_timestamp() AS now
     RETURNING ${editedColumns}`,
    [
      changesetId,
      rows.map((row) => row.recordId),
      rows.map((row) => row.baseVersionId),
      ...contentColumns(rows),
    ],
  );
}

/** Replaces what pending versions hold, each as one more edit; their records are locked. */
export function updatePendings(
  tx: Tx,
  rows: (EditedContent & { id: number; resolutions: StoredResolution[] })[],
): Promise<EditedRow[]> {
  return tx.query(
    `UPDATE version SET operation = CASE WHEN edited.content IS NULL THEN 'delete' ELSE 'upsert' END,
            content = edited.content, digest = decode(edited.digest, 'hex'), message = edited.message,
            staged_by = CASE WHEN author = ANY (staged_by) THEN staged_by ELSE staged_by || author END,
            resolutions = nullif(edited.resolutions, '[]'), updated_at = clock_timestamp(), edit = edit + 1
     FROM unnest($1::bigint[], $2::jsonb[], $3::text[], $4::text[], $5::text[], $6::text[])
       AS edited (id, resolutions, content, digest, message, author)
     WHERE version.id = edited.id AND version.revision IS NULL
     RETURNING ${editedColumns}`,
    [rows.map((row) => row.id), rows.map((row) => JSON.stringify(row.resolutions)), ...contentColumns(rows)],
  );
}

/** The outcome of the validation of a pending version. */
export interface ValidationRow {
  id: number;
  validation: StoredValidation;
}

/**
 * Keeps the outcomes of validations; answers the ids of those that are kept. Passes over those that somebody is
 * writing at this moment, so that it waits for nobody with others in hand.
 */
export async function updateFreeValidations(tx: Tx, rows: ValidationRow[]): Promise<Set<number>> {
  const kept = await tx.query<{ id: number }>(
    `UPDATE version SET validation = free.validation
     FROM (
       SELECT v.id, judged.validation
       FROM unnest($1::bigint[], $2::integer[], $3::jsonb[]) AS judged (id, edit, validation)
       JOIN version v ON v.id = judged.id AND v.edit = judged.edit AND v.revision IS NULL
       FOR NO KEY UPDATE OF v SKIP LOCKED
     ) AS free
     WHERE version.id = free.id AND version.revision IS NULL
     RETURNING version.id`,
    [
      rows.map(({ id }) => id),
      rows.map(({ validation }) => validation.edit),
      rows.map(({ validation }) => JSON.stringify(validation)),
    ],
  );
  return new Set(kept.map(({ id }) => id));
}
