import type { Page, VersionSummary } from '../domain/record.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import { listVersions as listRows } from '../store/readers.js';
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
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    await requireCommittedRecord(snapshot, input);
    const found = await listRows(snapshot, { collection, key, below, limit: limit + 1 });
    const { rows, next } = cutPage(found, limit, (last) => formatNumberCursor('versions', last.version));
    return { page: { items: rows.map(toVersionSummary), next }, revision };
  });
}
