import type { StoredResolution } from '../domain/rebase.js';
import type { Executor, Tx } from './db.js';

/** A pending version as rebasing leaves it. */
export interface RebasedRow {
  id: number;
  baseVersionId: number | null;
  content: string | null;
  digest: Buffer | null;
  /** To be appended to those that there are. */
  resolutions: StoredResolution[];
  /** Whether the one who rebased it has a part in its content. */
  isAuthored: boolean;
}

/** Lays pending versions on other bases, each as one more edit; nobody else may be at them. */
export async function updateBases(tx: Tx, rows: RebasedRow[], author: string): Promise<void> {
  await tx.query(
    `UPDATE version SET
       operation = CASE WHEN laid.content IS NULL THEN 'delete' ELSE 'upsert' END, content = laid.content, digest = laid.digest,
       base_version_id = laid.base_version_id, updated_at = clock_timestamp(), edit = edit + 1,
       resolutions = nullif(coalesce(version.resolutions, '[]') || laid.resolutions::jsonb, '[]'),
       staged_by = CASE WHEN laid.is_authored AND $7 <> ALL (version.staged_by) THEN version.staged_by || $7::text ELSE version.staged_by END
     FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::boolean[])
       AS laid (id, base_version_id, content, digest, resolutions, is_authored)
     WHERE version.id = laid.id AND version.revision IS NULL`,
    [
      rows.map((row) => row.id),
      rows.map((row) => row.baseVersionId),
      rows.map((row) => row.content),
      rows.map((row) => row.digest),
      rows.map((row) => JSON.stringify(row.resolutions)),
      rows.map((row) => row.isAuthored),
      author,
    ],
  );
}

/** The contents of these committed versions, by id. */
export async function findContents(executor: Executor, ids: number[]): Promise<Map<number, string>> {
  const rows = await executor.query<{ id: number; content: string | null }>(
    `SELECT id, content FROM version WHERE id = ANY ($1) AND revision IS NOT NULL`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, contentOf(row)]));
}

/** Retention leaves alone what a pending version is based on, so it has its content. */
function contentOf(version: { id: number; content: string | null }): string {
  if (version.content === null) throw new Error(`version ${version.id} has no content`);
  return version.content;
}

/** A member of a changeset whose record moved since it was staged. */
export interface OutdatedRow {
  id: number;
  collection: string;
  key: string;
  content: string | null;
  resolutions: StoredResolution[];
  /** null: started when the record was not live. */
  baseContent: string | null;
  currentVersionId: number | null;
  currentContent: string | null;
}

/** A batch carries at most this many bytes of content, or one member. */
const maxBatchBytes = 8 * 1024 * 1024;

/** The next outdated members of a changeset after an id, as one statement sees them; fewer where they are large. */
export async function listOutdated(
  executor: Executor,
  changesetId: string,
  after: number,
  limit: number,
): Promise<OutdatedRow[]> {
  const rows = await executor.query<OutdatedRow & { baseVersionId: number | null }>(
    `SELECT v.id, c.name AS collection, r.key, v.content, coalesce(v.resolutions, '[]') AS resolutions,
            v.base_version_id AS "baseVersionId", b.content AS "baseContent",
            r.current_version_id AS "currentVersionId", k.content AS "currentContent"
     FROM (
       SELECT id, sum(bytes) OVER (ORDER BY id) - bytes AS bytes_before
       FROM (
         SELECT v.id, coalesce(octet_length(v.content), 0) + coalesce(octet_length(v.resolutions::text), 0)
                + coalesce(octet_length(b.content), 0) + coalesce(octet_length(k.content), 0) AS bytes
         FROM version v JOIN record r ON r.id = v.record_id
         LEFT JOIN version b ON b.id = v.base_version_id LEFT JOIN version k ON k.id = r.current_version_id
         WHERE v.changeset_id = $1 AND v.revision IS NULL AND v.id > $2
           AND v.base_version_id IS DISTINCT FROM r.current_version_id
         ORDER BY v.id LIMIT $3
       ) AS outdated
     ) AS page
     JOIN version v ON v.id = page.id
     JOIN record r ON r.id = v.record_id
     JOIN collection c ON c.id = r.collection_id
     LEFT JOIN version b ON b.id = v.base_version_id
     LEFT JOIN version k ON k.id = r.current_version_id
     WHERE page.bytes_before < ${maxBatchBytes} ORDER BY v.id`,
    [changesetId, after, limit],
  );
  return rows.map(({ baseVersionId, ...row }) => ({
    ...row,
    baseContent: baseVersionId === null ? null : contentOf({ id: baseVersionId, content: row.baseContent }),
  }));
}
