import { changesetClosed, changesetNotFound } from '../../domain/refusals.js';
import { type LockedChangeset, lockChangeset } from '../../store/changesets.js';
import type { Tx } from '../../store/db.js';

/** A changeset that takes edits, locked until the transaction ends. Whoever edits it counts the edit. */
export async function lockOpenChangeset(tx: Tx, id: string): Promise<LockedChangeset> {
  const changeset = await lockWaitingChangeset(tx, id);
  if (changeset.state !== 'open') throw changesetClosed(id, changeset.state);
  return changeset;
}

/** A changeset that is still to be committed, open or scheduled, locked until the transaction ends. */
export async function lockWaitingChangeset(tx: Tx, id: string): Promise<LockedChangeset> {
  const changeset = await lockChangeset(tx, id);
  if (changeset === null) throw changesetNotFound(id);
  if (changeset.state === 'committed' || changeset.state === 'discarded')
    throw changesetClosed(id, changeset.state);
  return changeset;
}
