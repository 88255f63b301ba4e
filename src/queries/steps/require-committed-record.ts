import { collectionNotFound, recordNotFound } from '../../domain/refusals.js';
import type { Executor } from '../../store/db.js';
import { findRecordState } from '../../store/readers.js';

/** @throws DiptychError `collection-not-found`, or `record-not-found` when it was never committed */
export async function requireCommittedRecord(
  executor: Executor,
  at: { collection: string; key: string },
): Promise<void> {
  const { inForce, state } = await findRecordState(executor, { ...at, revision: null });
  if (!inForce) throw collectionNotFound(at.collection);
  if (state === null) throw recordNotFound(at, null);
}
