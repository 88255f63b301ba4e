import type { Executor } from './db.js';

/** Alias of the horizon that a feed is held to: that of one collection, or (null) the highest of all. */
export const feedHorizon = (parameter: string) =>
  `(SELECT coalesce(max(c.horizon), 0) FROM collection c WHERE ${parameter}::bigint IS NULL OR c.id = ${parameter})`;

/** From which revision on what readers saw of a collection is whole. */
export async function findHorizon(executor: Executor, collectionId: number): Promise<number> {
  const [row] = await executor.query<{ horizon: number }>(`SELECT horizon FROM collection WHERE id = $1`, [
    collectionId,
  ]);
  if (row === undefined) throw new Error(`the collection ${collectionId} vanished`);
  return row.horizon;
}

/** The head of the log, and the horizon of the feed at the same moment. */
export async function findFeedState(
  executor: Executor,
  collectionId: number | null,
): Promise<{ head: number; horizon: number }> {
  const [row] = await executor.query<{ head: number; horizon: number }>(
    `SELECT revision AS head, ${feedHorizon('$1')} AS horizon FROM head`,
    [collectionId],
  );
  if (row === undefined) throw new Error('the head row is missing');
  return row;
}
