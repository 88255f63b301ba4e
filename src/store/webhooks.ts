import type { Position } from '../domain/feed-page.js';
import type { PauseReason, StoredWebhook, WebhookContent } from '../domain/webhook.js';
import type { Executor, Tx } from './db.js';

/** As many as one sender can well look after. Two calls at once may pass it by one. */
export const maxWebhooks = 1_000;

const selectWebhook = `
  SELECT id, number, url, description, collection, key_prefix AS "keyPrefix",
         created_by AS "createdBy", created_at AS "createdAt", edit, paused, revision, ordinal, failures,
         next_attempt_at AS "nextAttemptAt", last_error AS "lastError", last_delivered_at AS "lastDeliveredAt"
  FROM webhook`;

/** Adds an endpoint that is told of what follows `after`; answers its id, or null when there are too many. */
export async function insertWebhook(
  tx: Tx,
  webhook: WebhookContent & { after: Position; createdBy: string },
): Promise<string | null> {
  const { url, description, collection, keyPrefix, after, createdBy } = webhook;
  const [row] = await tx.query<{ id: string }>(
    `INSERT INTO webhook (url, description, collection, key_prefix, revision, ordinal, created_by)
     SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM webhook) < ${maxWebhooks} RETURNING id`,
    [url, description, collection, keyPrefix, after.revision, after.ordinal, createdBy],
  );
  return row?.id ?? null;
}

/** One endpoint, or null. */
export async function findWebhook(executor: Executor, id: string): Promise<StoredWebhook | null> {
  return (await executor.query<StoredWebhook>(`${selectWebhook} WHERE id = $1`, [id]))[0] ?? null;
}

/** Locks an endpoint against other calls and its sender, until the transaction ends; null when there is none. */
export async function lockWebhook(tx: Tx, id: string): Promise<StoredWebhook | null> {
  return (await tx.query<StoredWebhook>(`${selectWebhook} WHERE id = $1 FOR UPDATE`, [id]))[0] ?? null;
}

/** Endpoints, newest first, below a number. */
export function listWebhooks(
  executor: Executor,
  below: number | null,
  limit: number,
): Promise<StoredWebhook[]> {
  return executor.query(
    `${selectWebhook} WHERE number < coalesce($1::bigint, ${Number.MAX_SAFE_INTEGER}) ORDER BY number DESC LIMIT $2`,
    [below, limit],
  );
}

/** Whether there is such an endpoint. */
export async function hasWebhook(executor: Executor, id: string): Promise<boolean> {
  return (await executor.query(`SELECT FROM webhook WHERE id = $1`, [id])).length > 0;
}

/**
 * Gives a locked endpoint another content. With another receiver or filter a new turn begins, so that nothing counts
 * that was read or sent by what was before: not how far that has looked, nor how often it failed.
 */
export async function updateWebhook(tx: Tx, id: string, content: WebhookContent): Promise<void> {
  const { url, description, collection, keyPrefix } = content;
  await tx.query(
    `UPDATE webhook SET
       edit = edit + 1, url = $2, description = $3, collection = $4, key_prefix = $5,
       turn = turn + is_other::integer, failures = CASE WHEN is_other THEN 0 ELSE failures END,
       next_attempt_at = CASE WHEN NOT is_other THEN next_attempt_at END,
       last_error = CASE WHEN NOT is_other THEN last_error END
     FROM (SELECT (url, collection, key_prefix) IS DISTINCT FROM ($2, $4, $5) AS is_other FROM webhook WHERE id = $1) AS before
     WHERE id = $1`,
    [id, url, description, collection, keyPrefix],
  );
}

/** Holds a locked endpoint back. What is under way may still arrive, and counts. */
export async function pauseWebhook(tx: Tx, id: string, reason: PauseReason): Promise<void> {
  await tx.query(`UPDATE webhook SET edit = edit + 1, paused = $2, next_attempt_at = NULL WHERE id = $1`, [
    id,
    reason,
  ]);
}

/** Lets a locked endpoint go on where it stopped, at once. */
export async function resumeWebhook(tx: Tx, id: string): Promise<void> {
  await tx.query(
    `UPDATE webhook SET edit = edit + 1, paused = NULL, failures = 0, next_attempt_at = NULL, last_error = NULL WHERE id = $1`,
    [id],
  );
}

/** Moves the position of a locked endpoint, back or on. What is under way from before moves it no more. */
export async function replayWebhook(
  tx: Tx,
  id: string,
  move: { after: Position; paused: PauseReason | null },
): Promise<void> {
  const { after, paused } = move;
  await tx.query(
    `UPDATE webhook SET edit = edit + 1, turn = turn + 1, revision = $2, ordinal = $3, paused = $4, failures = 0,
       next_attempt_at = NULL, last_error = NULL
     WHERE id = $1`,
    [id, after.revision, after.ordinal, paused],
  );
}

/** Removes a locked endpoint with its secrets and its log. */
export async function deleteWebhook(tx: Tx, id: string): Promise<void> {
  await tx.query(`DELETE FROM webhook WHERE id = $1`, [id]);
}

/** Counts an edit of a locked endpoint that shows elsewhere: its entity tag changes. */
export async function countWebhookEdit(tx: Tx, id: string): Promise<void> {
  await tx.query(`UPDATE webhook SET edit = edit + 1 WHERE id = $1`, [id]);
}

/** The ids of all endpoints. */
export async function listWebhookIds(executor: Executor): Promise<string[]> {
  return (await executor.query<{ id: string }>(`SELECT id FROM webhook ORDER BY number`)).map(({ id }) => id);
}
