import { type StoredPending, toPendingView } from '../../domain/pending-view.js';
import type { PendingView } from '../../domain/record.js';
import { collectionNotFound } from '../../domain/refusals.js';
import { type CollectionRow, lockCollection } from '../../store/collections.js';
import type { Tx } from '../../store/db.js';
import { lockRecords, type RecordRow } from '../../store/records.js';
import { findPending } from '../../store/versions.js';
import { lockOpenChangeset } from './lock-changeset.js';

/** Where a pending version belongs. */
export interface PendingAddress {
  collection: string;
  key: string;
  changeset: string | null;
}

/** The answer to a write of staged work. */
export interface StagedAnswer {
  /** Whether the pending version was started by this call. */
  created: boolean;
  pending: PendingView;
  tag: string;
  revision: number;
}

/** A record under lock, with its pending version. */
export interface LockedPending {
  collection: CollectionRow;
  record: RecordRow;
  stored: StoredPending | null;
  tag: string | null;
}

/** Locks the record and its pending version; null where the record does not exist. */
export async function lockPending(tx: Tx, at: PendingAddress): Promise<LockedPending | null> {
  // The changeset first: whoever waits for one must not hold the collection, for which a definition waits.
  if (at.changeset !== null) await lockOpenChangeset(tx, at.changeset);
  const collection = await lockCollection(tx, at.collection);
  if (collection === null) throw collectionNotFound(at.collection);
  const [record] = await lockRecords(tx, [{ collectionId: collection.id, key: at.key }]);
  return record === undefined ? null : await readLocked(tx, at, collection, record);
}

async function readLocked(
  tx: Tx,
  at: PendingAddress,
  collection: CollectionRow,
  record: RecordRow,
): Promise<LockedPending> {
  const [row] = await findPending(tx, [{ recordId: record.id, changesetId: at.changeset }]);
  const stored = row === undefined ? null : { ...row, ...settingOf(at, collection, record) };
  return { collection, record, stored, tag: stored && toPendingView(stored).tag };
}

function settingOf(at: PendingAddress, collection: CollectionRow, record: RecordRow) {
  return {
    collection: at.collection,
    key: at.key,
    definitionId: collection.definitionId,
    currentVersionId: record.currentVersionId,
    currentNumber: record.currentNumber,
  };
}

/** The pending version as it is after a write of this transaction. */
export async function viewPending(
  tx: Tx,
  at: PendingAddress,
  locked: LockedPending,
): Promise<{ pending: PendingView; tag: string }> {
  const { stored } = await readLocked(tx, at, locked.collection, locked.record);
  if (stored === null) throw new Error('a pending version that was just written is not there');
  return toPendingView(stored);
}
