import type { DecidedEdit } from '../../domain/pending-edit.js';
import { type StoredPending, toPendingView } from '../../domain/pending-view.js';
import type { StoredResolution } from '../../domain/rebase.js';
import { countChangesetEdit } from '../../store/changesets.js';
import type { Tx } from '../../store/db.js';
import {
  type EditedContent,
  insertFreshRecords,
  insertPendings,
  updatePendings,
} from '../../store/pending-edits.js';
import type { EditMoment, StandRow } from '../../store/pending-stands.js';
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
 * record was to be made, and somebody else was faster. What is written is sent, and only what was there before is
 * waited for: the answers are known beforehand, if nobody has gone past the locks.
 */
export async function writeEdits(
  tx: Tx,
  accepted: AcceptedEdit[],
  { changeset, wait, moment }: { changeset: string | null; wait: boolean; moment: EditMoment },
): Promise<Map<AcceptedEdit, EditAnswer>> {
  const madeIds = await makeRecords(tx, accepted, wait);
  const added: (EditedContent & { id: number; recordId: number; baseVersionId: number | null })[] = [];
  const edited: (EditedContent & { id: number; edit: number; resolutions: StoredResolution[] })[] = [];
  const discarded: { id: number; recordId: number }[] = [];
  const answers = new Map<AcceptedEdit, EditAnswer>();
  const { revision, now } = moment;
  const versionIds = moment.versionIds.values();
  for (const edit of accepted) {
    const { author, stand, decided } = edit;
    const recordId = stand?.recordId ?? madeIds.get(edit);
    if (recordId === undefined) continue;
    const pending = stand?.pending ?? null;
    if (decided === null) {
      if (pending) discarded.push({ id: pending.id, recordId });
      answers.set(edit, { revision });
      continue;
    }
    const row = {
      content: decided.content?.content ?? null,
      digest: decided.content?.digest ?? null,
      message: decided.message,
      author,
    };
    const id = pending?.id ?? nextOf(versionIds);
    if (pending) edited.push({ id, edit: pending.edit + 1, resolutions: decided.resolutions, ...row });
    else added.push({ ...row, id, recordId, baseVersionId: stand?.currentVersionId ?? null });
    answers.set(edit, { ...viewOf(edit, decided, { id, now }), revision });
  }
  if (added.length > 0) insertPendings(tx, { changesetId: changeset, now }, added);
  const updating = edited.length === 0 ? [] : updatePendings(tx, { now }, edited);
  if (discarded.length > 0) {
    deletePending(
      tx,
      discarded.map(({ id }) => id),
    );
    deleteEmptyRecords(
      tx,
      discarded.map(({ recordId }) => recordId),
    );
  }
  if (changeset !== null && answers.size > 0) countChangesetEdit(tx, changeset);
  const edits = new Map((await updating).map(({ id, edit }) => [id, edit]));
  if (edited.some(({ id, edit }) => edits.get(id) !== edit)) throw new Error('an edit that was not written');
  return answers;
}

function nextOf(ids: Iterator<number, undefined>): number {
  const { value } = ids.next();
  if (value === undefined) throw new Error('more versions are started than ids were reserved');
  return value;
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
function viewOf(
  { at, author, definitionId, stand }: AcceptedEdit,
  { content, message, resolutions }: NonNullable<DecidedEdit>,
  { id, now }: { id: number; now: Date },
): Omit<StagedAnswer, 'revision'> {
  const pending = stand?.pending ?? null;
  const current = {
    currentVersionId: stand?.currentVersionId ?? null,
    currentNumber: stand?.currentNumber ?? null,
  };
  const stored: StoredPending = {
    id,
    operation: content === null ? 'delete' : 'upsert',
    content: content?.content ?? null,
    digest: content && Buffer.from(content.digest, 'hex'),
    changesetId: at.changeset,
    baseVersionId: pending ? pending.baseVersionId : current.currentVersionId,
    baseNumber: pending ? pending.baseNumber : current.currentNumber,
    message,
    stagedBy: [...new Set([...(pending?.stagedBy ?? []), author])],
    stagedAt: pending ? new Date(pending.stagedAt) : now,
    updatedAt: now,
    edit: pending ? pending.edit + 1 : 1,
    validation: pending?.validation ?? null,
    resolutions,
    collection: at.collection,
    key: at.key,
    definitionId,
    ...current,
  };
  return { created: pending === null, ...toPendingView(stored, content?.data ?? null) };
}
