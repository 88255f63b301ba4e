import type { Executor } from './db.js';
import { previewAt, previewColumns } from './readers.js';

/** A record with a changeset laid over it. */
export interface PreviewRow {
  pending: boolean;
  /** The revision at which it last changed; null where its state comes from the changeset. */
  revision: number | null;
  version: number | null;
  /** null when the record is deleted, by a commit or by the changeset. */
  content: string | null;
  committedAt: Date | null;
  committedBy: string | null;
  message: string | null;
}

/**
 * A record as it would be read now if the changeset were committed; `row` is null when there is none. The head
 * and everything else is of one moment.
 */
export async function findPreview(
  executor: Executor,
  at: { collection: string; key: string; changesetId: string },
): Promise<{ head: number; inForce: boolean; lastRevision: number | null; row: PreviewRow | null }> {
  const [found] = await executor.query<
    { head: number; inForce: boolean | null; lastRevision: number | null; key: string | null } & PreviewRow
  >(
    `SELECT head.revision AS head, c.definition_id IS NOT NULL AS "inForce", found.*
     FROM head
     LEFT JOIN collection c ON c.name = $1
     LEFT JOIN LATERAL (
       SELECT ${previewColumns}, r.revision AS "lastRevision"
       FROM record r ${previewAt('head.revision', '$3::uuid')}
       WHERE r.collection_id = c.id AND r.key = $2 AND (p.id IS NOT NULL OR r.revision IS NOT NULL)
     ) AS found ON true`,
    [at.collection, at.key, at.changesetId],
  );
  if (found === undefined) throw new Error('the head row is missing');
  const { head, inForce, lastRevision, key, ...row } = found;
  return { head, inForce: inForce === true, lastRevision, row: key === null ? null : row };
}
