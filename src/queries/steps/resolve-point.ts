import { DiptychError } from '../../domain/errors.js';
import type { PointInTime } from '../../domain/point-in-time.js';
import { withTransaction } from '../../store/db.js';
import { findHead } from '../../store/head.js';
import { findRevisionAt } from '../../store/readers.js';
import type { QueryContext } from '../context.js';

/**
 * The revision that a read asks for; null for the newest. Whether that revision has come is for the one who reads
 * it to see.
 *
 * @throws DiptychError `revision-not-found` for a moment that is still to come
 */
export async function resolvePoint(context: QueryContext, at: PointInTime): Promise<number | null> {
  if (at.type === 'head') return null;
  if (at.type === 'revision') return at.revision;
  const revision = await withTransaction(context.db, (tx) => findRevisionAt(tx, at.time));
  if (revision !== null) return revision;
  const { revision: head } = await findHead(context.db);
  throw new DiptychError(
    'revision-not-found',
    `${at.time.toISOString()} is not over yet, so what readers see then is not settled.`,
    { extensions: { head } },
  ).asOf(head);
}

/** @throws DiptychError `revision-not-found` for what is still to come */
export function requireReached(revision: number, head: number): void {
  if (revision <= head) return;
  throw new DiptychError('revision-not-found', `Revision ${revision} does not exist: the head is ${head}.`, {
    extensions: { head },
  }).asOf(head);
}
