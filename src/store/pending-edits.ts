import type { StoredResolution } from '../domain/rebase.js';
import type { StoredValidation } from '../domain/validation-state.js';
import { bigints, texts } from './arrays.js';
import type { Tx, WritingStatement } from './db.js';
import { unseen } from './kept-plans.js';
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
  tx.send(`SET LOCAL lock_timeout = '${shortWait}'`);
  const made = insertRecordsOnce(tx, wanted);
  tx.send(`SET LOCAL lock_timeout TO DEFAULT`);
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
  texts(rows.map((row) => row.content)),
  texts(rows.map((row) => row.digest)),
  texts(rows.map((row) => row.message)),
  texts(rows.map((row) => row.author)),
];

/**
 * Starts pending versions of records that are locked.
 *
 * @param options.now null: whatever the clock says by then
 */
export function insertPendings(
  tx: Tx,
  { changesetId, now = null }: { changesetId: string | null; now?: Date | null },
  rows: (EditedContent & { id?: number; recordId: number; baseVersionId: number | null })[],
): void {
  tx.send(
    `INSERT INTO version (id, record_id, changeset_id, base_version_id, operation, content, digest, message, staged_by, staged_at, updated_at)
     OVERRIDING SYSTEM VALUE
     SELECT coalesce(id, nextval('version_id_seq')), record_id, $1, base_version_id,
            CASE WHEN content IS NULL THEN 'delete' ELSE 'upsert' END, content, decode(digest, 'hex'), message, ARRAY[author],
            moment.now, moment.now
     FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[])
            AS added (id, record_id, base_version_id, content, digest, message, author),
          coalesce($2, clock_timestamp()) AS moment (now)`,
    [
      changesetId,
      now,
      bigints(rows.map((row) => row.id ?? null)),
      bigints(rows.map((row) => row.recordId)),
      bigints(rows.map((row) => row.baseVersionId)),
      ...contentColumns(rows),
    ],
  );
}

/** Replaces what pending versions hold, each as one more edit; their records are locked. Answers those that were there. */
export function updatePendings(
  tx: Tx,
  { now = null }: { now?: Date | null },
  rows: (EditedContent & { id: number; resolutions: StoredResolution[] })[],
): Promise<{ id: number; edit: number }[]> {
  return tx.query(
    `UPDATE version SET operation = CASE WHEN edited.content IS NULL THEN 'delete' ELSE 'upsert' END,
            content = edited.content, digest = decode(edited.digest, 'hex'), message = edited.message,
            staged_by = CASE WHEN author = ANY (staged_by) THEN staged_by ELSE staged_by || author END,
            resolutions = nullif(edited.resolutions, '[]'), updated_at = coalesce($1, clock_timestamp()), edit = edit + 1
     FROM unnest($2::bigint[], $3::jsonb[], $4::text[], $5::text[], $6::text[], $7::text[])
       AS edited (id, resolutions, content, digest, message, author)
     WHERE version.id = edited.id AND version.revision IS NULL
     RETURNING version.id, version.edit`,
    [
      now,
      bigints(rows.map((row) => row.id)),
      rows.map((row) => JSON.stringify(row.resolutions)),
      ...contentColumns(rows),
    ],
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
export async function updateFreeValidations(
  statement: WritingStatement,
  rows: ValidationRow[],
): Promise<Set<number>> {
  const kept = await statement.query<{ id: number }>(
    `UPDATE version SET validation = free.validation
     FROM (
       SELECT v.id, judged.validation
       FROM unnest(${unseen('$1', 'bigint[]')}, ${unseen('$2', 'integer[]')}, ${unseen('$3', 'jsonb[]')}) AS judged (id, edit, validation)
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
