import type { CollectionView } from '../domain/collection.js';
import { toCollectionView } from '../domain/collection-view.js';
import type { Page } from '../domain/record.js';
import { formatCursor, parseCursor } from '../lib/cursor.js';
import { readCollections } from '../store/collections.js';
import type { QueryContext } from './context.js';
import { cursorInvalid, cutPage } from './steps/number-cursor.js';

/** All collections, by name. */
export async function listCollections(
  context: QueryContext,
  input: { limit: number; cursor?: string | undefined },
): Promise<{ page: Page<CollectionView>; revision: number }> {
  const after = input.cursor === undefined ? null : parseCursor(input.cursor);
  if (input.cursor !== undefined && (typeof after !== 'string' || !/^[a-z][a-z0-9_-]{0,62}$/.test(after)))
    throw cursorInvalid();
  const { head, collections } = await readCollections(context.db, {
    ...(typeof after === 'string' ? { after } : {}),
    limit: input.limit + 1,
  });
  const { rows, next } = cutPage(collections, input.limit, (last) => formatCursor(last.name));
  return { page: { items: rows.map((row) => toCollectionView(row).view), next }, revision: head };
}
