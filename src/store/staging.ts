import type { PendingOperation } from '../domain/record.js';
import { bigints, booleans, texts } from './arrays.js';
import type { Tx } from './db.js';
import { memberOf } from './readers.js';
import { addresses, lockAddressed, type RecordAddress, wantedRecords } from './records.js';

/** Where a record stands: its current version, and its pending one in a changeset, without their content. */
export interface StandingRow extends RecordAddress {
  recordId: number;
  currentVersionId: number | null;
  currentDigest: string | null;
  pendingId: number | null;
  pendingOperation: PendingOperation | null;
  pendingDigest: string | null;
  pendingMessage: string | null;
  /** Bytes of the content that a patch would start from. */
  baseBytes: number;
}

/** The records at these addresses that exist: locked in one order, then read as they are by then. */
export async function lockStandings(
  tx: Tx,
  changesetId: string,
  wanted: RecordAddress[],
): Promise<StandingRow[]> {
  await lockAddressed(tx, wanted);
  return await tx.query(
    `SELECT r.id AS "recordId", r.collection_id AS "collectionId", r.key,
            v.id AS "currentVersionId", encode(v.digest, 'hex') AS "currentDigest",
            p.id AS "pendingId", p.operation AS "pendingOperation", encode(p.digest, 'hex') AS "pendingDigest",
            p.message AS "pendingMessage",
            coalesce(octet_length(CASE WHEN p.id IS NULL THEN v.content ELSE p.content END), 0) AS "baseBytes"
     FROM ${wantedRecords}
     LEFT JOIN version v ON v.id = r.current_version_id
     LEFT JOIN ${memberOf('$3::uuid')} ON true`,
    [...addresses(wanted), changesetId],
  );
}

/** Lets records exist that do not yet, in one order; answers the ids of those. Readers see nothing of them. */
export async function insertMissingRecords(tx: Tx, wanted: RecordAddress[]): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(
    `INSERT INTO record (collection_id, key)
     SELECT collection_id, key FROM unnest($1::bigint[], $2::text[]) AS wanted (collection_id, key)
     WHERE NOT EXISTS (SELECT FROM record r WHERE r.collection_id = wanted.collection_id AND r.key = wanted.key)
     ORDER BY collection_id, key COLLATE "C"
     ON CONFLICT (collection_id, key) DO NOTHING
     RETURNING id`,
    addresses(wanted),
  );
  return rows.map(({ id }) => id);
}

/** What a changeset shall hold of a record. */
export interface MemberContentRow {
  /** null: its deletion. */
  content: string | null;
  digest: string | null;
  message: string | null;
}

const contentColumns = (rows: MemberContentRow[]) => [
  texts(rows.map((row) => row.content)),
  texts(rows.map((row) => row.digest)),
  texts(rows.map((row) => row.message)),
];

/** Starts pending versions in a changeset that is locked, of records that are locked. */
export function insertMembers(
  tx: Tx,
  changeset: { id: string; author: string },
  rows: (MemberContentRow & { recordId: number; baseVersionId: number | null })[],
): void {
  tx.send(
    `INSERT INTO version (record_id, changeset_id, base_version_id, operation, content, digest, message, staged_by, staged_at, updated_at)
     SELECT record_id, $1, base_version_id, CASE WHEN content IS NULL THEN 'delete' ELSE 'upsert' END, content,
            decode(digest, 'hex'), message, ARRAY[$2], now, now
     FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
            AS added (record_id, base_version_id, content, digest, message, ordinal),
          clock_timestamp() AS now
     ORDER BY ordinal`,
    [
      changeset.id,
      changeset.author,
      bigints(rows.map((row) => row.recordId)),
      bigints(rows.map((row) => row.baseVersionId)),
      ...contentColumns(rows),
    ],
  );
}

/**
 * Replaces what pending versions hold, each as one more edit; their records must be locked. How conflicts were
 * resolved stays known where the content was only patched since.
 */
export function updateMembers(
  tx: Tx,
  author: string,
  rows: (MemberContentRow & { id: number; isWhole: boolean })[],
): void {
  tx.send(
    `UPDATE version SET operation = CASE WHEN edited.content IS NULL THEN 'delete' ELSE 'upsert' END,
            content = edited.content, digest = decode(edited.digest, 'hex'), message = edited.message,
            staged_by = CASE WHEN $1 = ANY (staged_by) THEN staged_by ELSE staged_by || $1 END,
            resolutions = CASE WHEN edited.is_whole THEN NULL ELSE resolutions END,
            updated_at = clock_timestamp(), edit = edit + 1
     FROM unnest($2::bigint[], $3::boolean[], $4::text[], $5::text[], $6::text[])
       AS edited (id, is_whole, content, digest, message)
     WHERE version.id = edited.id AND version.revision IS NULL`,
    [
      author,
      bigints(rows.map((row) => row.id)),
      booleans(rows.map((row) => row.isWhole)),
      ...contentColumns(rows),
    ],
  );
}
