import type { Overlap } from '../../domain/overlap.js';
import type { FoundCollection } from '../../domain/plan.js';
import type { Prepared } from '../../domain/prepared.js';
import { parsePointer } from '../../lib/json-pointer.js';
import type { Snapshot } from '../../store/db.js';
import { findRecordOverlaps, findValueOverlaps } from '../../store/overlaps.js';

/** Names other open changesets that touch the same records or want the same unique values. */
export async function findOverlaps(snapshot: Snapshot, id: string, { moves }: Prepared): Promise<Overlap[]> {
  const overlaps = new Map<string, Overlap>();
  const overlapWith = (row: { changeset: string; title: string; state: Overlap['state'] }): Overlap => {
    const known = overlaps.get(row.changeset);
    if (known) return known;
    const { changeset, title, state } = row;
    const fresh = {
      changeset,
      title,
      state,
      recordCount: 0,
      records: [],
      uniqueValueCount: 0,
      uniqueValues: [],
    };
    overlaps.set(changeset, fresh);
    return fresh;
  };
  for (const row of await findRecordOverlaps(snapshot, id)) {
    const overlap = overlapWith(row);
    overlap.recordCount = row.count;
    overlap.records = row.sample;
  }
  for (const { collection, pointers } of uniqueListsOf(moves.map((move) => move.collection))) {
    const paths = pointers.map((pointer) => parsePointer(pointer) ?? []);
    for (const row of await findValueOverlaps(snapshot, id, { collectionId: collection.id, paths })) {
      const overlap = overlapWith(row);
      overlap.uniqueValueCount += row.count;
      const pointer = pointers[0] ?? '';
      overlap.uniqueValues.push(
        ...row.sample.map((keys) => ({ collection: collection.name, pointer, ...keys })),
      );
    }
  }
  return [...overlaps.values()];
}

function uniqueListsOf(
  collections: FoundCollection[],
): { collection: FoundCollection; pointers: string[] }[] {
  const distinct = new Map(collections.map((collection) => [collection.id, collection]));
  return [...distinct.values()].flatMap((collection) =>
    collection.definition.uniqueLists.map((pointers) => ({ collection, pointers })),
  );
}
