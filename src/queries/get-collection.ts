import type { CollectionView } from '../domain/collection.js';
import { toCollectionView } from '../domain/collection-view.js';
import { collectionNotFound } from '../domain/refusals.js';
import { readCollections } from '../store/collections.js';
import type { QueryContext } from './context.js';

/** A collection with the definition in force. */
export async function getCollection(
  context: QueryContext,
  input: { collection: string },
): Promise<{ view: CollectionView; tag: string; revision: number }> {
  const { head, collections } = await readCollections(context.db, { names: [input.collection], limit: 1 });
  const [row] = collections;
  if (row === undefined) throw collectionNotFound(input.collection).asOf(head);
  return { ...toCollectionView(row), revision: head };
}
