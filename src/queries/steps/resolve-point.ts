import { DiptychError } from '../../domain/errors.js';
import type { PointInTime } from '../../domain/point-in-time.js';
import { type Db, withTransaction } from '../../store/db.js';
import { findHead } from '../../store/head.js';
import { findRevisionAt } from '../../store/readers.js';

/**
 * The revision that a read asks for; null for the newest.
 *
 * @throws DiptychError `revision-not-found` for what is still to come
 */
export async function resolvePoint(db: Db, at: PointInTime): Promise<number | null> {
  if (at.type === 'head') return null;
  if (at.type === 'revision') {
    const head = await findHead(db);
    if (at.revision > head.revision)
      throw notYet(`Revision ${at.revision} does not exist: the head is ${head.revision}.`, head.revision);
    return at.revision;
  }
  const revision = await withTransaction(db, (tx) => findRevisionAt(tx, at.time));
  if (revision === null) {
    const head = await findHead(db);
    throw notYet(
      `${at.time.toISOString()} is not over yet, so what readers see then is not settled.`,
      head.revision,
    );
  }
  return revision;
}

function notYet(detail: string, head: number): DiptychError {
  return new DiptychError('revision-not-found', detail, { extensions: { head } });
}
