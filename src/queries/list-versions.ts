import type { Page, VersionSummary } from '../domain/record.js';
import { listVersions as findPage } from '../store/readers.js';
import type { QueryContext } from './context.js';
import { cutPage, formatNumberCursor, readNumberCursor } from './steps/number-cursor.js';
import { requireCommittedRecord } from './steps/require-committed-record.js';
import { toVersionSummary } from './steps/to-version.js';

/** The committed versions of a record, newest first; of a deleted one as well. */
export async function listVersions(
  context: QueryContext,
  input: { collection: string; key: string; limit: number; cursor?: string | undefined },
): Promise<{ page: Page<VersionSummary>; revision: number }> {
  const { collection, key, limit } = input;
  const below = readNumberCursor('versions', input.cursor);
  const found = await findPage(context.db, { collection, key, below, limit: limit + 1 });
  requireCommittedRecord(input, found);
  const { rows, next } = cutPage(found.rows, limit, (last) => formatNumberCursor('versions', last.version));
  return { page: { items: rows.map(toVersionSummary), next }, revision: found.head };
}
