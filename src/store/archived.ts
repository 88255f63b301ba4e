import { fromArchive } from '../lib/archive.js';
import type { Executor, Tx } from './db.js';

/** The two places where the content of a committed version may be; neither when retention deleted it. */
export interface StoredContent {
  content: string | null;
  archive: Buffer | null;
}

/** The content of a version, taken out of the archive where it is there; null when it was deleted. */
export async function readContent({ content, archive }: StoredContent): Promise<string | null> {
  if (content !== null || archive === null) return content;
  return await fromArchive(archive);
}

/** Rows with their contents at hand, one after the other, so that no more than one is being decompressed. */
export async function withContents<Row extends StoredContent>(
  rows: Row[],
): Promise<(Omit<Row, 'archive'> & { content: string | null })[]> {
  const opened = [];
  for (const { archive, ...row } of rows)
    opened.push({ ...row, content: await readContent({ content: row.content, archive }) });
  return opened;
}

/** The contents of versions by id, out of the archive where they are there. Deleted ones are not among them. */
export async function findContents(executor: Executor, versionIds: number[]): Promise<Map<number, string>> {
  const rows = await executor.query<StoredContent & { id: number }>(
    `SELECT id, content, archive FROM version WHERE id = ANY ($1::bigint[])`,
    [versionIds],
  );
  const opened = await withContents(rows);
  return new Map(opened.flatMap(({ id, content }) => (content === null ? [] : [[id, content]])));
}

/** Those of these versions that are archived. */
export async function findArchived(executor: Executor, versionIds: number[]): Promise<number[]> {
  const rows = await executor.query<{ id: number }>(
    `SELECT id FROM version WHERE id = ANY ($1) AND archive IS NOT NULL ORDER BY id`,
    [versionIds],
  );
  return rows.map(({ id }) => id);
}

/** At most this many bytes of archives are read at once, or one archive. */
const maxBatchBytes = 8 * 1024 * 1024;

/** The archives of some of these versions, the first of them in any case. */
export function readArchives(
  executor: Executor,
  versionIds: number[],
): Promise<{ id: number; archive: Buffer }[]> {
  return executor.query(
    `SELECT v.id, v.archive
     FROM (
       SELECT id, sum(octet_length(archive)) OVER (ORDER BY id) - octet_length(archive) AS bytes_before
       FROM version WHERE id = ANY ($1) AND archive IS NOT NULL
     ) AS page
     JOIN version v ON v.id = page.id
     WHERE page.bytes_before < ${maxBatchBytes} ORDER BY v.id`,
    [versionIds],
  );
}

/** Whether retention has deleted the content of any of these versions. */
export async function isAnyDeleted(executor: Executor, versionIds: number[]): Promise<boolean> {
  if (versionIds.length === 0) return false;
  const rows = await executor.query(
    `SELECT FROM version WHERE id = ANY ($1) AND content IS NULL AND archive IS NULL LIMIT 1`,
    [versionIds],
  );
  return rows.length > 0;
}

/** Puts content back where the archive was, for a version that is to be current. The database compares digests. */
export async function restoreContents(tx: Tx, versions: { id: number; content: string }[]): Promise<void> {
  await tx.query(
    `UPDATE version SET content = back.content, archive = NULL, expired_at = NULL
     FROM unnest($1::bigint[], $2::text[]) AS back (id, content) WHERE version.id = back.id`,
    [versions.map((version) => version.id), versions.map((version) => version.content)],
  );
}
