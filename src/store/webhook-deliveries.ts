import type { LoggedAttempt } from '../domain/webhook-delivery.js';
import type { Executor, Tx } from './db.js';

export interface StoredAttempt extends LoggedAttempt {
  /** Counts attempts, for lists. */
  number: number;
}

/** Adds an attempt to the log of an endpoint that is there. */
export async function insertAttempt(tx: Tx, webhookId: string, attempt: LoggedAttempt): Promise<void> {
  const { eventId, at, status, error, durationMs } = attempt;
  await tx.query(
    `INSERT INTO webhook_delivery (webhook_id, event_id, attempt, at, status, error, duration_ms)
     SELECT id, $2, $3, $4, $5, $6, $7 FROM webhook WHERE id = $1 FOR KEY SHARE`,
    [webhookId, eventId, attempt.attempt, at, status, error, durationMs],
  );
}

/** Attempts at events of an endpoint, newest first, below a number. */
export function listAttempts(
  executor: Executor,
  webhookId: string,
  below: number | null,
  limit: number,
): Promise<StoredAttempt[]> {
  return executor.query(
    `SELECT id AS number, event_id AS "eventId", attempt, at, status, error, duration_ms AS "durationMs" FROM webhook_delivery
     WHERE webhook_id = $1 AND id < coalesce($2::bigint, ${Number.MAX_SAFE_INTEGER}) ORDER BY id DESC LIMIT $3`,
    [webhookId, below, limit],
  );
}

/** Removes attempts that are older than so many days; answers how many, `limit` at most. */
export async function deleteOldAttempts(tx: Tx, days: number, limit: number): Promise<number> {
  const rows = await tx.query(
    // An array, so that its rows are looked up one by one, and no plan reads the whole log.
    `DELETE FROM webhook_delivery WHERE id = ANY (ARRAY(
       SELECT id FROM webhook_delivery WHERE at < statement_timestamp() - make_interval(days => $1) ORDER BY at LIMIT $2
     )) RETURNING id`,
    [days, limit],
  );
  return rows.length;
}

/** Removes attempts of an endpoint but the newest so many; answers how many, `limit` at most. */
export async function deleteSurplusAttempts(
  tx: Tx,
  webhookId: string,
  keep: number,
  limit: number,
): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM webhook_delivery WHERE id = ANY (ARRAY(
       SELECT id FROM webhook_delivery WHERE webhook_id = $1 AND id <= (
         SELECT id FROM webhook_delivery WHERE webhook_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1
       ) ORDER BY id LIMIT $3
     )) RETURNING id`,
    [webhookId, keep, limit],
  );
  return rows.length;
}
