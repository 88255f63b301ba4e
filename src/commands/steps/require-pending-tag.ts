import { DiptychError } from '../../domain/errors.js';
import { pendingNotFound } from '../../domain/refusals.js';
import { withSnapshot } from '../../store/db.js';
import type { Context } from '../context.js';
import { readFound } from './load-found.js';
import type { PendingAddress } from './lock-pending.js';

/** The refusal of a commit that does not say what it saw: 428 with the present tag, or 404 where nothing is. */
export async function requirePendingTag(context: Context, at: PendingAddress): Promise<DiptychError> {
  const [lookup] = await withSnapshot(context.db, (snapshot) =>
    readFound(snapshot, context.definitions, [{ type: 'pending', ...at }]),
  );
  if (lookup && 'refused' in lookup) return lookup.refused;
  const tag = lookup?.found.pending?.tag;
  if (tag === undefined) return pendingNotFound(at);
  return new DiptychError(
    'precondition-required',
    `Say what you commit: If-Match with the entity tag of the pending version (now ${tag}), or the receipt of its validation.`,
    { extensions: { etag: tag } },
  );
}
