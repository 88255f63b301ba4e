import type { WebhookFilter } from '../domain/webhook.js';
import type { Settlement } from '../domain/webhook-delivery.js';
import { type Db, type Executor, openDatabase, type Session, type Tx, withSession } from './db.js';

/** The lock of whoever sends: apart from the families of retention and of indexes. */
const lockFamily = 4720;

/**
 * The server ends a session that is silent for so long, and gives its lock to another: that of a process that is
 * stopped, or of a machine that cannot be reached.
 */
const silenceMs = 15_000;

/**
 * Runs `work` with the session that holds the sender's lock; null when another instance has it. On a connection of its
 * own beside the pool, because it is kept for as long as the instance lives.
 */
export async function withSender<T>(db: Db, work: (session: Session) => Promise<T>): Promise<T | null> {
  const { connectionString } = db.pool.options;
  if (connectionString === undefined) throw new Error('the pool was opened without a URL');
  const apart = openDatabase({ url: connectionString, poolSize: 1 });
  try {
    return await withSession(apart, async (session) => {
      if (!(await tryLockSender(session))) return null;
      await session.queryOnce(`SET idle_session_timeout = ${silenceMs}`);
      return await work(session);
    });
  } finally {
    await apart.close();
  }
}

/** Takes the lock of the sender for as long as the session lasts; false when another instance has it. */
async function tryLockSender(session: Session): Promise<boolean> {
  const [row] = await session.query<{ free: boolean }>(`SELECT pg_try_advisory_lock($1, 0) AS free`, [
    lockFamily,
  ]);
  return row?.free === true;
}

/** Keeps the session from being silent for too long. */
export async function signOfLife(session: Session): Promise<void> {
  await session.query(`SELECT`);
}

/** An endpoint that events are sent to, and from where on. */
export interface ActiveWebhook extends WebhookFilter {
  id: string;
  edit: number;
  turn: number;
  revision: number;
  ordinal: number;
  failures: number;
  /** Until the next attempt, by the clock of the database, which all instances share. */
  waitMs: number;
}

/** The endpoints that are not paused. */
export function listActiveWebhooks(executor: Executor): Promise<ActiveWebhook[]> {
  return executor.query(
    `SELECT id, edit, turn, revision, ordinal, failures, collection, key_prefix AS "keyPrefix",
            coalesce(greatest(ceil(extract(epoch FROM next_attempt_at - clock_timestamp()) * 1000), 0), 0)::integer AS "waitMs"
     FROM webhook WHERE paused IS NULL ORDER BY number`,
  );
}

/** Whether there is anything to send to, and nobody who does. That is a hint, cheaper than a connection; the lock decides. */
export async function isSenderWanted(executor: Executor): Promise<boolean> {
  const [row] = await executor.query<{ wanted: boolean }>(
    `SELECT EXISTS (SELECT FROM webhook WHERE paused IS NULL) AND NOT EXISTS (
       SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
       WHERE l.locktype = 'advisory' AND l.classid = ${lockFamily} AND l.granted AND d.datname = current_database()
     ) AS wanted`,
  );
  return row?.wanted === true;
}

/** An endpoint in the turn in which something of it was read. */
export interface WebhookTurn {
  webhookId: string;
  turn: number;
}

/** Where events go, and what they are signed with at this moment, the newest secret first. */
export interface Receiver {
  url: string;
  secrets: Buffer[];
}

/**
 * Where events of these turns go, by the id of their endpoint; none for one that is paused, or was moved or changed
 * since. On the session that holds the sender's lock, so that who has lost it begins nothing.
 */
export async function findReceivers(
  executor: Executor,
  turns: WebhookTurn[],
): Promise<Map<string, Receiver>> {
  const rows = await executor.query<Receiver & { id: string }>(
    `SELECT w.id, w.url, ARRAY(
       SELECT s.secret FROM webhook_secret s
       WHERE s.webhook_id = w.id AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp()) ORDER BY s.id DESC
     ) AS secrets
     FROM jsonb_to_recordset($1::jsonb) AS t ("webhookId" uuid, turn bigint)
     JOIN webhook w ON w.id = t."webhookId" AND w.id = ANY ($2::uuid[])
     WHERE w.turn = t.turn AND w.paused IS NULL`,
    [JSON.stringify(turns), turns.map(({ webhookId }) => webhookId)],
  );
  return new Map(rows.map(({ id, ...receiver }) => [id, receiver]));
}

/**
 * Writes what became of endpoints, each in one settlement; answers those that it counted for. What was begun in an
 * earlier turn moves nothing. The ids are named apart, so that each is looked up. On the session that holds the
 * sender's lock, so that who has lost it writes nothing.
 */
export async function settleWebhooks(tx: Tx, settlements: Settlement[]): Promise<Set<string>> {
  // What a crash of the server takes back is delivered again, as it is after any other.
  tx.send(`SET LOCAL synchronous_commit = off`);
  const rows = await tx.query<{ id: string }>(
    `UPDATE webhook w SET
       revision = coalesce(s.revision, w.revision), ordinal = coalesce(s.ordinal, w.ordinal),
       failures = s.failures, last_error = s.error, paused = coalesce(w.paused, s.paused),
       next_attempt_at = CASE WHEN w.paused IS NULL THEN clock_timestamp() + make_interval(secs => s."retryMs" / 1000.0) END,
       last_delivered_at = CASE WHEN s.delivered THEN clock_timestamp() ELSE w.last_delivered_at END
     FROM jsonb_to_recordset($1::jsonb) AS s (id uuid, turn bigint, revision bigint, ordinal integer, failures integer,
       error jsonb, "retryMs" float8, paused text, delivered boolean)
     WHERE w.id = s.id AND w.id = ANY ($2::uuid[]) AND w.turn = s.turn RETURNING w.id`,
    [JSON.stringify(settlements.map(toRow)), settlements.map(({ webhookId }) => webhookId)],
  );
  insertAttempts(tx, settlements);
  return new Set(rows.map(({ id }) => id));
}

function toRow({ webhookId, position, attempt, error, ...settlement }: Settlement) {
  const delivered = attempt !== null && error === null;
  return { ...settlement, id: webhookId, ...position, error, delivered };
}

/** Adds attempts to the log, but those of endpoints that are gone. */
function insertAttempts(tx: Tx, settlements: Settlement[]): void {
  const attempts = settlements.flatMap(({ webhookId, attempt }) =>
    attempt === null ? [] : [{ webhookId, ...attempt }],
  );
  if (attempts.length === 0) return;
  tx.send(
    `INSERT INTO webhook_delivery (webhook_id, event_id, attempt, at, status, error, duration_ms)
     SELECT w.id, a."eventId", a.attempt, a.at, a.status, a.error, a."durationMs"
     FROM jsonb_to_recordset($1::jsonb) AS a ("webhookId" uuid, "eventId" text, attempt integer, at timestamptz, status integer,
       error text, "durationMs" integer)
     JOIN webhook w ON w.id = a."webhookId" AND w.id = ANY ($2::uuid[]) FOR KEY SHARE OF w`,
    [JSON.stringify(attempts), attempts.map(({ webhookId }) => webhookId)],
  );
}
