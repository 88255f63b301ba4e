import type { VersionSummary } from '../../domain/record.js';
import type { VersionRow } from '../../store/readers.js';

/** A committed version without its content. */
export function toVersionSummary(row: VersionRow): VersionSummary {
  return {
    version: row.version,
    revisions: row.revisions,
    committedAt: row.committedAt.toISOString(),
    committedBy: row.committedBy,
    message: row.message,
    digest: row.digest.toString('hex'),
    current: row.current,
    archived: row.archived,
    deleted: row.deleted,
  };
}
