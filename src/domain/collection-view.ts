import type { CollectionView, IndexView } from './collection.js';
import { collectionTag } from './entity-tag.js';

/** An index as it is stored. */
export interface StoredIndex {
  pointer: string;
  state: IndexView['state'];
  rowsDone: number;
}

/** A collection as its readers see it, with its entity tag. */
export function toCollectionView(stored: {
  name: string;
  definitionNumber: number;
  definitionDigest: Buffer;
  definitionContent: string;
  revision: number;
  committedAt: Date;
  author: string;
  indexes: StoredIndex[];
}): { view: CollectionView; tag: string } {
  const indexes = stored.indexes.map(
    ({ pointer, state, rowsDone }): IndexView => ({
      pointer,
      state,
      recordsDone: state === 'ready' ? null : rowsDone,
    }),
  );
  const view: CollectionView = {
    name: stored.name,
    definition: JSON.parse(stored.definitionContent),
    definitionNumber: stored.definitionNumber,
    revision: stored.revision,
    updatedAt: stored.committedAt.toISOString(),
    updatedBy: stored.author,
    indexes,
  };
  return {
    view,
    tag: collectionTag({
      number: stored.definitionNumber,
      digest: stored.definitionDigest.toString('hex'),
      derived: indexes.flatMap(({ recordsDone }) => recordsDone ?? []).join('.'),
    }),
  };
}
