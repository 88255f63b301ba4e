import type { StoredResolution } from '../domain/rebase.js';
import type { StoredContent } from './archived.js';
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

/** A member of a changeset whose record moved since it was staged. */
export interface OutdatedRow {
  id: number;
  collection: string;
  key: string;
  content: string | null;
  resolutions: StoredResolution[];
  /** null: started when the record was not live. */
  base: StoredContent | null;
  currentVersionId: number | null;
  currentContent: string | null;
}

/**
 * The next outdated members of a locked changeset after an id; fewer where they are large. What is current is
 * held: until the transaction ends its content stays at hand, whatever becomes of the pointers. The records are
 * not locked, so nobody's commit waits.
 */
export async function listOutdated(
  tx: Tx,
  changesetId: string,
  after: number,
  limit: number,
): Promise<OutdatedRow[]> {
  for (;;) {
    const places = await listOutdatedPlaces(tx, changesetId, after, limit);
    const ids = places.flatMap(({ currentVersionId }) => currentVersionId ?? []);
    const held = await holdReadable(tx, ids);
    const end = places.findIndex(({ currentVersionId: id }) => id !== null && !held.has(id));
    const taken = end === -1 ? places : places.slice(0, end);
    // What retention was just taking is not current any more, so another look finds something else.
    if (taken.length > 0 || places.length === 0) return await readOutdated(tx, taken);
  }
}

/** An outdated member and what is current of its record, by their ids. */
interface OutdatedPlace {
  id: number;
  currentVersionId: number | null;
}

/** A batch carries at most this many bytes of content, or one member. */
const maxBatchBytes = 8 * 1024 * 1024;

function listOutdatedPlaces(
  executor: Executor,
  changesetId: string,
  after: number,
  limit: number,
): Promise<OutdatedPlace[]> {
  return executor.query(
    `SELECT id, "currentVersionId"
     FROM (
       SELECT id, "currentVersionId", sum(bytes) OVER (ORDER BY id) - bytes AS bytes_before
       FROM (
         SELECT v.id, r.current_version_id AS "currentVersionId",
                coalesce(octet_length(v.content), 0) + coalesce(octet_length(v.resolutions::text), 0)
                + coalesce(octet_length(b.content), octet_length(b.archive), 0) + coalesce(octet_length(k.content), 0) AS bytes
         FROM version v JOIN record r ON r.id = v.record_id
         LEFT JOIN version b ON b.id = v.base_version_id LEFT JOIN version k ON k.id = r.current_version_id
         WHERE v.changeset_id = $1 AND v.revision IS NULL AND v.id > $2
           AND v.base_version_id IS DISTINCT FROM r.current_version_id
         ORDER BY v.id LIMIT $3
       ) AS outdated
     ) AS place
     WHERE bytes_before < ${maxBatchBytes} ORDER BY id`,
    [changesetId, after, limit],
  );
}

/** Holds those of these versions that have their content at hand, as a foreign key would; answers their ids. */
async function holdReadable(tx: Tx, ids: number[]): Promise<Set<number>> {
  const rows = await tx.query<{ id: number }>(
    `SELECT id FROM version WHERE id = ANY ($1::bigint[]) AND readable ORDER BY id FOR KEY SHARE`,
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** The three states of each. Nobody else may edit the members, and what is current of them must be held. */
async function readOutdated(executor: Executor, places: OutdatedPlace[]): Promise<OutdatedRow[]> {
  const rows = await executor.query<
    Omit<OutdatedRow, 'base'> & {
      baseVersionId: number | null;
      baseContent: string | null;
      baseArchive: Buffer | null;
    }
  >(
    `SELECT v.id, c.name AS collection, r.key, v.content, coalesce(v.resolutions, '[]') AS resolutions,
            v.base_version_id AS "baseVersionId", b.content AS "baseContent", b.archive AS "baseArchive",
            place.current_version_id AS "currentVersionId", k.content AS "currentContent"
     FROM unnest($1::bigint[], $2::bigint[]) AS place (id, current_version_id)
     JOIN version v ON v.id = place.id
     JOIN record r ON r.id = v.record_id
     JOIN collection c ON c.id = r.collection_id
     LEFT JOIN version b ON b.id = v.base_version_id
     LEFT JOIN version k ON k.id = place.current_version_id
     ORDER BY v.id`,
    [places.map(({ id }) => id), places.map(({ currentVersionId }) => currentVersionId)],
  );
  return rows.map(({ baseVersionId, baseContent: content, baseArchive: archive, ...row }) => ({
    ...row,
    base: baseVersionId === null ? null : { content, archive },
  }));
}
