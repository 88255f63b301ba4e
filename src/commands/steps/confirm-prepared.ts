import { changesetTag, matchesStagedTag } from '../../domain/entity-tag.js';
import type { DiptychError } from '../../domain/errors.js';
import type { Failure } from '../../domain/failure.js';
import type { CommitRequest } from '../../domain/intent.js';
import type { Move } from '../../domain/move.js';
import type { Prepared, PreparedChangeset } from '../../domain/prepared.js';
import { type ChangesetReceipt, definitionsDigest } from '../../domain/receipt.js';
import {
  changesetClosed,
  changesetNotFound,
  membersOutdated,
  preconditionFailed,
  receiptStale,
  revertConflict,
  revertFailure,
} from '../../domain/refusals.js';
import { isAnyDeleted } from '../../store/archived.js';
import { readLockedChangeset } from '../../store/changesets.js';
import { findCollectionsInForce } from '../../store/collections.js';
import type { Tx } from '../../store/db.js';
import { lockStands, lockUnmoved, type RecordStand } from '../../store/records.js';
import type { Draft } from './draft.js';

/** Moved records that a refusal names at most; all are counted. */
const listedFailures = 1_000;

/**
 * Holds a prepared commit against what is true under the head's lock. Answers its draft, the refusal that
 * decides it, or `stale` where it has to be prepared again.
 */
export async function confirmPrepared(
  tx: Tx,
  request: CommitRequest,
  prepared: Prepared,
): Promise<Draft | { refused: DiptychError } | 'stale'> {
  const { changeset } = prepared;
  // Sent together: each wait for an answer here is one for everybody.
  const [verdict, areInForce] = await Promise.all([
    changeset && confirmChangeset(tx, changeset, prepared),
    areDefinitionsInForce(tx, prepared),
  ]);
  if (verdict !== null) return verdict;
  if (!areInForce) {
    if (changeset === null || !receiptOf(changeset)) return 'stale';
    return {
      refused: receiptStale(
        ['definition'],
        'A definition has changed since that validation.',
        tagOf(changeset),
      ),
    };
  }
  // Not before it is to happen: there may be ten thousand of them to lock.
  const areUnmoved = await lockUnmoved(tx, recordIdsOf(prepared), {
    count: prepared.moves.length + prepared.unchanged.length,
    revision: prepared.revision,
  });
  const refusals = [...prepared.refusals];
  const moved = areUnmoved ? [] : await findMoved(tx, prepared, request.reverts);
  // Retention, which needs the records' locks, may have been faster.
  if (await isAnyDeleted(tx, targetsOf(prepared.moves))) return 'stale';
  if (moved.length > 0) refusals.push(refusalOfMoved(prepared, moved));
  return {
    request,
    moves: prepared.moves,
    refusals,
    consumedPendingIds: prepared.unchanged.map(({ pendingId }) => pendingId),
    pendingTag: changeset && tagOf(changeset),
    changeset,
  };
}

/** The receipt that the caller committed with, if any. */
export const receiptOf = ({ seen }: PreparedChangeset): ChangesetReceipt | undefined =>
  'commitAt' in seen ? undefined : seen.receipt;

const tagOf = ({ id, edit }: { id: string; edit: number }) => changesetTag({ id, edit, derived: '' });

async function confirmChangeset(
  tx: Tx,
  changeset: PreparedChangeset,
  { definitions }: Prepared,
): Promise<{ refused: DiptychError } | 'stale' | null> {
  const { id, seen } = changeset;
  const locked = await readLockedChangeset(tx, id);
  if (locked === null) return { refused: changesetNotFound(id) };
  const isMeant =
    'commitAt' in seen
      ? locked.state === 'scheduled' && locked.commitAt?.getTime() === seen.commitAt.getTime()
      : locked.state === 'open';
  if (!isMeant) return { refused: changesetClosed(id, locked.state) };
  const { ifMatch, receipt }: Exclude<typeof seen, { commitAt: Date }> = 'commitAt' in seen ? {} : seen;
  const tag = tagOf(locked);
  if (ifMatch && !matchesStagedTag(ifMatch, tag)) return { refused: preconditionFailed('changeset', tag) };
  if (receipt && (receipt.changeset !== id || receipt.edit !== locked.edit)) {
    return { refused: receiptStale(['content'], 'The changeset was edited after that validation.', tag) };
  }
  if (locked.edit !== changeset.edit) return 'stale';
  if (receipt && receipt.definitions !== definitionsDigest(definitions)) {
    return { refused: receiptStale(['definition'], 'A definition has changed since that validation.', tag) };
  }
  return null;
}

async function areDefinitionsInForce(tx: Tx, { definitions }: Prepared): Promise<boolean> {
  const inForce = await findCollectionsInForce(tx, [...definitions.keys()]);
  const ids = new Map(inForce.map(({ name, definitionId }) => [name, definitionId]));
  return [...definitions].every(([name, { definitionId }]) => ids.get(name) === definitionId);
}

/** The earlier versions that pointers are to go back to. */
const targetsOf = (moves: Move[]) =>
  moves.flatMap(({ after }) => (after?.source === 'existing' ? [after.versionId] : []));

interface Moved {
  at: { collection: string; key: string };
  move: Move | null;
  stand: RecordStand | undefined;
}

/** The records of all members that have one. */
const recordIdsOf = ({ moves, unchanged }: Prepared) => [
  ...moves.flatMap(({ recordId }) => recordId ?? []),
  ...unchanged.map(({ recordId }) => recordId),
];

/** Of records that may have changed: those that are no longer where they were. Numbers the others' next versions. */
async function findMoved(tx: Tx, prepared: Prepared, reverts: number | null): Promise<Moved[]> {
  const { moves, unchanged } = prepared;
  const stands = new Map((await lockStands(tx, recordIdsOf(prepared))).map((stand) => [stand.id, stand]));
  const moved: Moved[] = [];
  for (const move of moves) {
    const stand = move.recordId === null ? undefined : stands.get(move.recordId);
    const isThere = stand?.currentVersionId === (move.before?.versionId ?? null);
    const hasStayed = reverts === null || stand?.revision === reverts;
    if (stand && isThere && hasStayed) {
      if (move.lastNumber !== stand.lastNumber) prepared.changesDigest = null;
      move.lastNumber = stand.lastNumber;
    } else moved.push({ at: { collection: move.collection.name, key: move.key }, move, stand });
  }
  for (const { recordId, currentVersionId, collection, key } of unchanged) {
    const stand = stands.get(recordId);
    if (stand?.currentVersionId !== currentVersionId)
      moved.push({ at: { collection, key }, move: null, stand });
  }
  return moved;
}

function refusalOfMoved({ changeset }: Prepared, moved: Moved[]): DiptychError {
  const listed = moved.slice(0, listedFailures);
  const errors = listed.map(({ at, move, stand }): Failure => {
    const fromVersion = move?.before?.number ?? null;
    return changeset
      ? {
          pointer: '/baseVersion',
          code: 'base-outdated',
          message: 'its record was committed meanwhile',
          ...at,
        }
      : revertFailure({ ...at, fromVersion }, stand?.currentNumber ?? null);
  });
  return changeset ? membersOutdated(changeset.id, errors) : revertConflict(errors);
}
