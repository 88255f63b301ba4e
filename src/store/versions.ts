import type { StoredResolution } from '../domain/rebase.js';
import type { PendingOperation } from '../domain/record.js';
import type { StoredValidation } from '../domain/validation-state.js';
import { type StoredContent, withContents } from './archived.js';
import { bigints, byteStrings, integers, texts } from './arrays.js';
import type { Executor, Tx } from './db.js';

export interface PendingRow {
  id: number;
  recordId: number;
  operation: PendingOperation;
  content: string | null;
  digest: Buffer | null;
  changesetId: string | null;
  baseVersionId: number | null;
  baseNumber: number | null;
  message: string | null;
  stagedBy: string[];
  stagedAt: Date;
  updatedAt: Date;
  edit: number;
  validation: StoredValidation | null;
  resolutions: StoredResolution[];
}

/** A pending version with the record that it belongs to. */
export interface PendingListRow extends PendingRow {
  collection: string;
  definitionId: number;
  key: string;
  currentVersionId: number | null;
  currentNumber: number | null;
}

const pendingColumns = `
  v.id, v.record_id AS "recordId", v.operation, v.content, v.digest, v.changeset_id AS "changesetId",
  v.base_version_id AS "baseVersionId", b.number AS "baseNumber", v.message, v.staged_by AS "stagedBy",
  v.staged_at AS "stagedAt", v.updated_at AS "updatedAt", v.edit, v.validation,
  coalesce(v.resolutions, '[]') AS resolutions`;

/** The pending versions of these records, each outside of changesets (null) or in one. */
export function findPending(
  executor: Executor,
  wanted: { recordId: number; changesetId: string | null }[],
): Promise<PendingRow[]> {
  return executor.query(
    `SELECT ${pendingColumns}
     FROM unnest($1::bigint[], $2::uuid[]) AS wanted (record_id, changeset_id)
     CROSS JOIN LATERAL (
       SELECT * FROM version m
       WHERE m.record_id = wanted.record_id AND m.number IS NULL AND m.revision IS NULL
         AND m.changeset_id IS NOT DISTINCT FROM wanted.changeset_id LIMIT 1
     ) AS v
     LEFT JOIN version b ON b.id = v.base_version_id`,
    [wanted.map((pending) => pending.recordId), wanted.map((pending) => pending.changesetId)],
  );
}

/** Keeps the outcome of a validation, unless the pending version has been edited since. */
export async function updateValidation(tx: Tx, id: number, validation: StoredValidation): Promise<void> {
  await tx.query(`UPDATE version SET validation = $2 WHERE id = $1 AND edit = $3 AND revision IS NULL`, [
    id,
    JSON.stringify(validation),
    validation.edit,
  ]);
}

/** Discards pending versions. */
export function deletePending(tx: Tx, ids: number[]): void {
  tx.send(`DELETE FROM version WHERE id = ANY ($1) AND revision IS NULL`, [ids]);
}

/** Makes pending versions committed: from here on the database refuses to change them. */
export function markCommitted(tx: Tx, rows: { id: number; number: number; revision: number }[]): void {
  tx.send(
    `UPDATE version SET revision = done.revision, number = done.number, validation = NULL
     FROM unnest($1::bigint[], $2::integer[], $3::bigint[]) AS done (id, number, revision) WHERE version.id = done.id`,
    [
      bigints(rows.map((row) => row.id)),
      integers(rows.map((row) => row.number)),
      bigints(rows.map((row) => row.revision)),
    ],
  );
}

/** A version that is committed without having been pending. */
export interface NewVersion {
  /** Reserved with the head's lock. */
  id: number;
  recordId: number;
  number: number;
  revision: number;
  content: string;
  digest: Buffer;
  baseVersionId: number | null;
  author: string;
}

/** Adds versions that are committed at one moment. */
export function insertCommitted(tx: Tx, versions: NewVersion[], committedAt: Date): void {
  tx.send(
    `INSERT INTO version (id, record_id, number, revision, content, digest, base_version_id, staged_by, staged_at, updated_at)
     OVERRIDING SYSTEM VALUE
     SELECT id, record_id, number, revision, content, digest, base_version_id, ARRAY[author], $9::timestamptz, $9
     FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::text[], $6::bytea[], $7::bigint[], $8::text[])
       AS added (id, record_id, number, revision, content, digest, base_version_id, author)`,
    [
      bigints(versions.map((version) => version.id)),
      bigints(versions.map((version) => version.recordId)),
      integers(versions.map((version) => version.number)),
      bigints(versions.map((version) => version.revision)),
      texts(versions.map((version) => version.content)),
      byteStrings(versions.map((version) => version.digest)),
      bigints(versions.map((version) => version.baseVersionId)),
      texts(versions.map((version) => version.author)),
      committedAt,
    ],
  );
}

/** A committed version by its number, for rolling back to. */
export interface CommittedRow {
  id: number;
  recordId: number;
  number: number;
  /** Null when retention has deleted it. */
  content: string | null;
  digest: Buffer;
}

/** The committed versions with these numbers that exist, archived ones as well. */
export async function findCommitted(
  executor: Executor,
  wanted: { recordId: number; number: number }[],
): Promise<CommittedRow[]> {
  const rows = await executor.query<CommittedRow & StoredContent>(
    `SELECT v.id, v.record_id AS "recordId", v.number, v.content, v.archive, v.digest
     FROM unnest($1::bigint[], $2::bigint[]) AS wanted (record_id, number)
     JOIN version v ON v.record_id = wanted.record_id AND v.number = wanted.number`,
    [wanted.map((version) => version.recordId), wanted.map((version) => version.number)],
  );
  return await withContents(rows);
}

/** A page carries at most this many bytes of content (and one item at least), however many items were asked for. */
export const maxPageBytes = 16 * 1024 * 1024;

export interface PendingFilter {
  collection: string | null;
  changesetId: string | null;
  outdated: boolean | null;
  /** Only those started after this one. */
  after: number;
  limit: number;
}

/**
 * Pending versions in the order in which they were started; fewer than asked for where they are large. `more`
 * of the last one says whether others follow.
 */
export function listPending(
  executor: Executor,
  filter: PendingFilter,
): Promise<(PendingListRow & { more: boolean })[]> {
  const values: unknown[] = [filter.after, filter.limit];
  const conditions = ['coalesce(v.number, 0) = 0', 'v.id > $1'];
  const add = (condition: (parameter: string) => string, value: unknown) => {
    if (value !== null) conditions.push(condition(`$${values.push(value)}`));
  };
  add((parameter) => `c.name = ${parameter}`, filter.collection);
  add((parameter) => `v.changeset_id = ${parameter}`, filter.changesetId);
  add(
    (parameter) => `(v.base_version_id IS DISTINCT FROM r.current_version_id) = ${parameter}`,
    filter.outdated,
  );
  return executor.queryOnce(
    `SELECT ${pendingColumns}, c.name AS collection, c.definition_id AS "definitionId", r.key,
            r.current_version_id AS "currentVersionId", k.number AS "currentNumber", page.row < page.found AS more
     FROM (
       SELECT v.id, row_number() OVER (ORDER BY v.id) AS row, count(*) OVER () AS found,
              coalesce(sum(v.bytes) OVER (ORDER BY v.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
       FROM (
         SELECT v.id, coalesce(octet_length(v.content), 0) + coalesce(octet_length(v.resolutions::text), 0) AS bytes
         FROM version v
         JOIN record r ON r.id = v.record_id
         JOIN collection c ON c.id = r.collection_id
         WHERE ${conditions.join(' AND ')}
         ORDER BY v.id LIMIT $2 + 1
       ) AS v
     ) AS page
     JOIN version v ON v.id = page.id AND page.bytes_before < ${maxPageBytes} AND page.row <= $2
     JOIN record r ON r.id = v.record_id
     JOIN collection c ON c.id = r.collection_id
     LEFT JOIN version b ON b.id = v.base_version_id
     LEFT JOIN version k ON k.id = r.current_version_id
     ORDER BY v.id`,
    values,
  );
}
