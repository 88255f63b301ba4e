import { changesetClosed, changesetNotFound } from '../../domain/refusals.js';
import { findChangesetEdit } from '../../store/changesets.js';
import type { Executor } from '../../store/db.js';

/**
 * How often what the changeset holds has been edited: with a revision it names the state of a preview.
 *
 * @param head of the snapshot
 * @throws DiptychError `changeset-not-found`, or `changeset-closed` when there is nothing to look forward to
 */
export async function requirePreviewable(executor: Executor, id: string, head: number): Promise<number> {
  const changeset = await findChangesetEdit(executor, id);
  if (changeset === null) throw changesetNotFound(id).asOf(head);
  if (changeset.state === 'committed' || changeset.state === 'discarded')
    throw changesetClosed(id, changeset.state).asOf(head);
  return changeset.edit;
}
