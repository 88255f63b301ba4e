import { DiptychError } from '../../domain/errors.js';
import type { StoredPending } from '../../domain/pending-view.js';
import { collectionNotFound, pendingNotFound } from '../../domain/refusals.js';
import { hasChangeset } from '../../store/changesets.js';
import { findCollection } from '../../store/collections.js';
import type { Executor } from '../../store/db.js';
import { findRecords, type RecordRow } from '../../store/records.js';
import { findPending } from '../../store/versions.js';

/** A pending version with the record that it belongs to. */
export async function requirePending(
  executor: Executor,
  at: { collection: string; key: string; changeset: string | null },
): Promise<{ stored: StoredPending; record: RecordRow }> {
  const collection = await findCollection(executor, at.collection);
  if (collection === null) throw collectionNotFound(at.collection);
  if (at.changeset !== null && !(await hasChangeset(executor, at.changeset))) {
    throw new DiptychError('changeset-not-found', `There is no changeset ${at.changeset}.`);
  }
  const [record] = await findRecords(executor, [{ collectionId: collection.id, key: at.key }]);
  const [row] = record
    ? await findPending(executor, [{ recordId: record.id, changesetId: at.changeset }])
    : [];
  if (record === undefined || row === undefined) throw pendingNotFound(at);
  const { definitionId } = collection;
  const { currentVersionId, currentNumber } = record;
  return {
    stored: { ...row, collection: at.collection, key: at.key, definitionId, currentVersionId, currentNumber },
    record,
  };
}
