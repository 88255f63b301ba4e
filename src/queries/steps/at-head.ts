import { DiptychError } from '../../domain/errors.js';
import { type Db, type Snapshot, withSnapshot } from '../../store/db.js';
import { findHead } from '../../store/head.js';

/** Reads on one snapshot, and tells its head: to the work, and with whatever the work refuses. */
export function atHead<T>(db: Db, work: (snapshot: Snapshot, revision: number) => Promise<T>): Promise<T> {
  return withSnapshot(db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    return await asOf(revision, () => work(snapshot, revision));
  });
}

/** What is refused meanwhile is so as of a revision. */
export async function asOf<T>(revision: number, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof DiptychError ? error.asOf(revision) : error;
  }
}
