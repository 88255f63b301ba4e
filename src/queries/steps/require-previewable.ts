import { changesetClosed, changesetNotFound } from '../../domain/refusals.js';
import { findChangesetEdit } from '../../store/changesets.js';
import type { Executor } from '../../store/db.js';

/**
 * How often what the changeset holds has been edited: with a revision it names the state of a preview.
 *
 * @throws DiptychError `changeset-not-found`, or `changeset-closed` when there is nothing to look forward to
 */
export async function requirePreviewable(executor: Executor, id: string): Promise<number> {
  const changeset = await findChangesetEdit(executor, id);
  if (changeset === null) throw changesetNotFound(id);
  if (changeset.state === 'committed' || changeset.state === 'discarded')
    throw changesetClosed(id, changeset.state);
  return changeset.edit;
}
