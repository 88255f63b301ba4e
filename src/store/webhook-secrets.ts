import type { Executor, Tx } from './db.js';

/** Rotations within one grace period that are remembered: each secret adds its signature to every delivery. */
const maxFormer = 4;

/** Gives a locked endpoint the secret that its deliveries are signed with from now on. */
export async function insertSecret(tx: Tx, webhookId: string, secret: Buffer): Promise<void> {
  await tx.query(`INSERT INTO webhook_secret (webhook_id, secret) VALUES ($1, $2)`, [webhookId, secret]);
}

/** Lets the present secret of a locked endpoint sign for a while yet, and answers until when; ends those that are over. */
export async function retireSecret(tx: Tx, webhookId: string, graceSeconds: number): Promise<Date> {
  const [row] = await tx.query<{ expiresAt: Date }>(
    `UPDATE webhook_secret SET expires_at = clock_timestamp() + make_interval(secs => $2)
     WHERE webhook_id = $1 AND expires_at IS NULL RETURNING expires_at AS "expiresAt"`,
    [webhookId, graceSeconds],
  );
  if (row === undefined) throw new Error('a webhook without a secret');
  await tx.query(
    `DELETE FROM webhook_secret WHERE webhook_id = $1 AND expires_at IS NOT NULL AND (
       expires_at <= clock_timestamp()
       OR id NOT IN (SELECT id FROM webhook_secret WHERE webhook_id = $1 AND expires_at IS NOT NULL ORDER BY id DESC LIMIT ${maxFormer})
     )`,
    [webhookId],
  );
  return row.expiresAt;
}

/** What deliveries to an endpoint are signed with at this moment, the newest first. */
export async function listSecrets(executor: Executor, webhookId: string): Promise<Buffer[]> {
  const rows = await executor.query<{ secret: Buffer }>(
    `SELECT secret FROM webhook_secret
     WHERE webhook_id = $1 AND (expires_at IS NULL OR expires_at > clock_timestamp()) ORDER BY id DESC`,
    [webhookId],
  );
  return rows.map(({ secret }) => secret);
}

/** Removes secrets whose time is over; answers how many. */
export async function deleteExpiredSecrets(tx: Tx): Promise<number> {
  return (await tx.query(`DELETE FROM webhook_secret WHERE expires_at <= clock_timestamp() RETURNING id`))
    .length;
}
