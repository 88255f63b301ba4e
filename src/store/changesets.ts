import type { Executor } from './db.js';

export type ChangesetState = 'open' | 'scheduled' | 'committed' | 'discarded';

/** The state of a changeset, which stays as it is until the transaction ends; null when there is none. */
export async function lockChangesetState(executor: Executor, id: string): Promise<ChangesetState | null> {
  const [row] = await executor.query<{ state: ChangesetState }>(
    `SELECT state FROM changeset WHERE id = $1 FOR SHARE`,
    [id],
  );
  return row?.state ?? null;
}

/** Whether there is such a changeset. */
export async function hasChangeset(executor: Executor, id: string): Promise<boolean> {
  return (await executor.query(`SELECT FROM changeset WHERE id = $1`, [id])).length > 0;
}
