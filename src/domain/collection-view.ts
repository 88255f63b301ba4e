import type { CollectionView } from './collection.js';
import { collectionTag } from './entity-tag.js';

/** A collection as its readers see it, with its entity tag. */
export function toCollectionView(stored: {
  name: string;
  definitionNumber: number;
  definitionDigest: Buffer;
  definitionContent: string;
  revision: number;
  committedAt: Date;
  author: string;
}): { view: CollectionView; tag: string } {
  const view: CollectionView = {
    name: stored.name,
    definition: JSON.parse(stored.definitionContent),
    definitionNumber: stored.definitionNumber,
    revision: stored.revision,
    updatedAt: stored.committedAt.toISOString(),
    updatedBy: stored.author,
  };
  return {
    view,
    tag: collectionTag({ number: stored.definitionNumber, digest: stored.definitionDigest.toString('hex') }),
  };
}
