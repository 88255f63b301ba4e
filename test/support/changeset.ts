import type { Executor } from '../../src/store/db.js';

/** An empty changeset; answers its id. */
export async function openChangeset({ db }: { db: Executor }): Promise<string> {
  const [row] = await db.query<{ id: string }>(
    `INSERT INTO changeset (title, created_by) VALUES ('A release', 'ann') RETURNING id`,
  );
  return row?.id ?? '';
}

/** Counts one more edit of what the changeset holds. */
export async function editChangeset({ db }: { db: Executor }, id: string): Promise<void> {
  await db.query(`UPDATE changeset SET edit = edit + 1 WHERE id = $1`, [id]);
}

/** Ends an empty changeset. */
export async function closeChangeset({ db }: { db: Executor }, id: string): Promise<void> {
  await db.query(
    `UPDATE changeset SET state = 'discarded', closed_by = 'ann', closed_at = clock_timestamp() WHERE id = $1`,
    [id],
  );
}
