import { DiptychError } from '../../domain/errors.js';
import { decideEdit, type PendingEdit, type PendingStand } from '../../domain/pending-edit.js';
import type { Precondition } from '../../domain/precondition.js';
import { collectionNotFound } from '../../domain/refusals.js';
import { tagOfPending } from '../../domain/validation-state.js';
import { Turns } from '../../lib/turns.js';
import type { Tx } from '../../store/db.js';
import { lockStands, type StandRow } from '../../store/pending-stands.js';
import type { PendingAddress } from './lock-pending.js';
import { type AcceptedEdit, type EditAnswer, writeEdits } from './write-edits.js';

/** An edit of one pending version. */
export interface EditRequest extends PendingAddress {
  precondition: Precondition;
  edit: PendingEdit;
  author: string;
}

/** What became of an edit. `busy`: somebody else is at work on its record or collection, so that nothing was decided. */
export type EditOutcome = { answer: EditAnswer } | { refused: DiptychError } | { busy: true };

/**
 * Edits pending versions of one changeset, or outside of changesets, each of another record: locks and reads them
 * together, decides each by itself, and writes together those that hold. One that is refused leaves no trace.
 *
 * @param options.changeset null, or the one of all these requests; it must be locked, or about to be
 * @param options.opened its lock, where that has been sent and is not waited for: nothing is written if it fails
 * @param options.wait whether to wait for what somebody else has locked, or to leave it `busy`
 */
export async function editPendings(
  tx: Tx,
  requests: EditRequest[],
  options: {
    changeset: string | null;
    opened?: Promise<unknown> | undefined;
    wait: boolean;
    maxRecordBytes: number;
  },
): Promise<EditOutcome[]> {
  const { changeset, opened, wait } = options;
  const wanted = requests.map(({ collection, key, edit }) => ({
    collection,
    key,
    isPatched: edit.type === 'patch',
  }));
  const reading = lockStands(tx, wanted, { changesetId: changeset, wait });
  // If the changeset could not be locked, this fails as well, and that is why.
  reading.catch(() => undefined);
  await opened;
  const { collections, stands, locked, moment } = await reading;
  const standOf = new Map(stands.map((stand) => [nameOf(stand), stand]));
  const outcomes = new Map<EditRequest, EditOutcome>();
  const accepted = new Map<AcceptedEdit, EditRequest>();
  const turns = new Turns();
  for (const request of requests) {
    const collection = collections.get(request.collection);
    const stand = standOf.get(nameOf(request)) ?? null;
    // A record that is there and not locked came, or was locked by somebody else, in between.
    if (collection === 'busy' || (stand && !locked.has(stand.recordId))) {
      outcomes.set(request, { busy: true });
      continue;
    }
    try {
      if (collection === undefined) throw collectionNotFound(request.collection);
      const { definitionId, id: collectionId } = collection;
      const decided = decideEdit(request, toStand(stand, definitionId), options);
      const { author } = request;
      accepted.set({ at: request, author, collectionId, definitionId, stand, decided }, request);
    } catch (error) {
      if (!(error instanceof DiptychError)) throw error;
      outcomes.set(request, { refused: error });
    }
    await turns.pause();
  }
  const answers = await writeEdits(tx, [...accepted.keys()], { changeset, wait, moment });
  for (const [edit, request] of accepted) {
    const answer = answers.get(edit);
    outcomes.set(request, answer ? { answer } : { busy: true });
  }
  return requests.map((request) => outcomes.get(request) ?? { busy: true });
}

const nameOf = ({ collection, key }: { collection: string; key: string }) => `${collection} ${key}`;

function toStand(row: StandRow | null, definitionId: number): PendingStand {
  if (row === null) return { record: null, pending: null, base: null };
  const { revision, currentNumber, currentVersionId, pending, base } = row;
  return {
    record: { revision, currentNumber, isLive: currentVersionId !== null },
    pending: pending && { ...pending, tag: tagOfPending(pending, { currentVersionId, definitionId }) },
    base,
  };
}
