import type { DecidedEdit } from '../../domain/pending-edit.js';
import { type StoredPending, toPendingView } from '../../domain/pending-view.js';
import type { StoredResolution } from '../../domain/rebase.js';
import { countChangesetEdit } from '../../store/changesets.js';
import type { Tx } from '../../store/db.js';
import { findHead } from '../../store/head.js';
import {
  type EditedContent,
  type EditedRow,
  insertFreshRecords,
  insertPendings,
  updatePendings,
} from '../../store/pending-edits.js';
import type { StandRow } from '../../store/pending-stands.js';
import { deleteEmptyRecords } from '../../store/records.js';
import { deletePending } from '../../store/versions.js';
import type { PendingAddress, StagedAnswer } from './lock-pending.js';

/** The answer to an edit: how the pending version is now, or only the revision when it was discarded. */
export type EditAnswer = StagedAnswer | { revision: number };

/** An edit that holds. */
export interface AcceptedEdit {
  at: PendingAddress;
  author: string;
  collectionId: number;
  definitionId: number;
  /** The record as it stands; null where it is yet to be made. */
  stand: StandRow | null;
  decided: DecidedEdit;
}

/**
 * Writes edits of one changeset, or outside of changesets, whose records are locked. There is no answer to one whose
 * record was to be made, and somebody else was faster.
 */
export async function writeEdits(
  tx: Tx,
  accepted: AcceptedEdit[],
  { changeset, wait }: { changeset: string | null; wait: boolean },
): Promise<Map<AcceptedEdit, EditAnswer>> {
  const madeIds = await makeRecords(tx, accepted, wait);
  const added: (EditedContent & { recordId: number; baseVersionId: number | null })[] = [];
  const edited: (EditedContent & { id: number; resolutions: StoredResolution[] })[] = [];
  const discarded: { id: number; recordId: number }[] = [];
  const byRecord = new Map<number, AcceptedEdit>();
  for (const edit of accepted) {
    const { author, stand, decided } = edit;
    const recordId = stand?.recordId ?? madeIds.get(edit);
    if (recordId === undefined) continue;
    byRecord.set(recordId, edit);
    const pending = stand?.pending ?? null;
    if (decided === null) {
      if (pending) discarded.push({ id: pending.id, recordId });
      continue;
    }
    const row = {
      content: decided.content?.content ?? null,
      digest: decided.content?.digest ?? null,
      message: decided.message,
      author,
    };
    if (pending) edited.push({ ...row, id: pending.id, resolutions: decided.resolutions });
    else added.push({ ...row, recordId, baseVersionId: stand?.currentVersionId ?? null });
  }
  // Sent together, in this order.
  const inserting = added.length === 0 ? [] : insertPendings(tx, changeset, added);
  const updating = edited.length === 0 ? [] : updatePendings(tx, edited);
  if (discarded.length > 0) {
    deletePending(
      tx,
      discarded.map(({ id }) => id),
    );
  }
  const [insertedRows, updatedRows, , , { revision }] = await Promise.all([
    inserting,
    updating,
    discarded.length > 0 &&
      deleteEmptyRecords(
        tx,
        discarded.map(({ recordId }) => recordId),
      ),
    changeset !== null && byRecord.size > 0 && countChangesetEdit(tx, changeset),
    findHead(tx),
  ]);
  const rows = new Map([...insertedRows, ...updatedRows].map((row) => [row.recordId, row]));
  return new Map(
    [...byRecord].map(([recordId, edit]) => {
      const row = rows.get(recordId);
      if (edit.decided !== null && row === undefined) throw new Error('an edit that was not written');
      return [edit, row ? { ...viewOf(edit, row), revision } : { revision }];
    }),
  );
}

/** Lets the records exist that are staged for the first time. */
async function makeRecords(
  tx: Tx,
  accepted: AcceptedEdit[],
  wait: boolean,
): Promise<Map<AcceptedEdit, number>> {
  const fresh = accepted.filter(({ stand }) => stand === null);
  if (fresh.length === 0) return new Map();
  const nameIn = (collectionId: number, key: string) => `${collectionId} ${key}`;
  const made = await insertFreshRecords(
    tx,
    fresh.map(({ collectionId, at }) => ({ collectionId, key: at.key })),
    wait,
  );
  const ids = new Map(made.map(({ id, collectionId, key }) => [nameIn(collectionId, key), id]));
  return new Map(
    fresh.flatMap((edit): [AcceptedEdit, number][] => {
      const id = ids.get(nameIn(edit.collectionId, edit.at.key));
      return id === undefined ? [] : [[edit, id]];
    }),
  );
}

/** The pending version as it is after the edit, put together from what is known of it. */
function viewOf(edit: AcceptedEdit, row: EditedRow): Omit<StagedAnswer, 'revision'> {
  const { at, author, definitionId, stand, decided } = edit;
  const pending = stand?.pending ?? null;
  const current = {
    currentVersionId: stand?.currentVersionId ?? null,
    currentNumber: stand?.currentNumber ?? null,
  };
  const content = decided?.content ?? null;
  const stored: StoredPending = {
    id: row.id,
    operation: content === null ? 'delete' : 'upsert',
    content: content?.content ?? null,
    digest: content && Buffer.from(content.digest, 'hex'),
    changesetId: at.changeset,
    baseVersionId: pending ? pending.baseVersionId : current.currentVersionId,
    baseNumber: pending ? pending.baseNumber : current.currentNumber,
    message: decided?.message ?? null,
    stagedBy: [...new Set([...(pending?.stagedBy ?? []), author])],
    stagedAt: row.stagedAt,
    updatedAt: row.updatedAt,
    edit: row.edit,
    validation: pending?.validation ?? null,
    resolutions: decided?.resolutions ?? [],
    collection: at.collection,
    key: at.key,
    definitionId,
    ...current,
  };
  return { created: pending === null, ...toPendingView(stored, content?.data ?? null) };
}
