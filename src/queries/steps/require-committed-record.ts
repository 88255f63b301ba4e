import { collectionNotFound, recordNotFound } from '../../domain/refusals.js';

/** @throws DiptychError `collection-not-found`, or `record-not-found` when it was never committed */
export function requireCommittedRecord(
  at: { collection: string; key: string },
  found: { head: number; inForce: boolean; isCommitted: boolean },
): void {
  if (!found.inForce) throw collectionNotFound(at.collection).asOf(found.head);
  if (!found.isCommitted) throw recordNotFound(at, null).asOf(found.head);
}
