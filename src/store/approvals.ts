import type { Executor, Tx } from './db.js';

/** The state of a changeset that an approval is bound to. */
interface Approved {
  id: string;
  edit: number;
  /** SHA-256 over the content of all members, in hexadecimal. */
  digest: string;
}

/** How many people have approved exactly this. */
export async function countApprovers(executor: Executor, { id, edit, digest }: Approved): Promise<number> {
  const [row] = await executor.query<{ count: number }>(
    `SELECT count(*) AS count FROM approval WHERE changeset_id = $1 AND edit = $2 AND digest = decode($3, 'hex')`,
    [id, edit, digest],
  );
  return row?.count ?? 0;
}

/** Notes an approval; one that is there already stays as it is. */
export async function insertApproval(
  tx: Tx,
  approval: Approved & { approver: string; message: string | null },
): Promise<void> {
  const { id, edit, digest, approver, message } = approval;
  await tx.query(
    `INSERT INTO approval (changeset_id, edit, digest, approver, message) VALUES ($1, $2, decode($3, 'hex'), $4, $5)
     ON CONFLICT DO NOTHING`,
    [id, edit, digest, approver, message],
  );
}

/** Whether this person has staged any member of the changeset. */
export async function hasStaged(executor: Executor, changesetId: string, name: string): Promise<boolean> {
  const rows = await executor.query(
    `SELECT FROM version WHERE changeset_id = $1 AND revision IS NULL AND $2 = ANY (staged_by) LIMIT 1`,
    [changesetId, name],
  );
  return rows.length > 0;
}
