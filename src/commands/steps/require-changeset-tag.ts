import { changesetTag } from '../../domain/entity-tag.js';
import { DiptychError } from '../../domain/errors.js';
import { changesetNotFound } from '../../domain/refusals.js';
import { findChangeset } from '../../store/changesets.js';
import type { Executor } from '../../store/db.js';

/** The refusal of a call that publishes or discards a changeset without saying what it saw: 428, or 404. */
export async function requireChangesetTag(executor: Executor, id: string): Promise<DiptychError> {
  const stored = await findChangeset(executor, id);
  if (stored === null) return changesetNotFound(id);
  const etag = changesetTag({ id, edit: stored.edit, derived: '' });
  return new DiptychError(
    'precondition-required',
    `Say what you saw: If-Match with the entity tag of the changeset (now ${etag}), or the receipt of its validation.`,
    { extensions: { etag } },
  );
}
