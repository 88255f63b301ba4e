import type { CollectionView } from '../domain/collection.js';
import { toCollectionView } from '../domain/collection-view.js';
import { collectionNotFound } from '../domain/refusals.js';
import { findCollection } from '../store/collections.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { QueryContext } from './context.js';

/** A collection with the definition in force. */
export async function getCollection(
  context: QueryContext,
  input: { collection: string },
): Promise<{ view: CollectionView; tag: string; revision: number }> {
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    const row = await findCollection(snapshot, input.collection);
    if (row === null) throw collectionNotFound(input.collection);
    return { ...toCollectionView(row), revision };
  });
}
