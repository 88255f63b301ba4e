import type { JsonValue } from '../lib/json-value.js';
import type { Executor, Tx } from './db.js';

/** The kept answer to a request with an Idempotency-Key. */
export interface IdempotencyRow {
  principal: string;
  key: string;
  fingerprint: Buffer;
  /** `committed`, or the code of the refusal. */
  outcome: string;
  revision: number | null;
  body: JsonValue;
  answeredAt: Date;
}

type Name = Pick<IdempotencyRow, 'principal' | 'key'>;

/** One number per key for the advisory lock; a collision only makes one of two callers repeat. */
const lockNumber = `hashtextextended(name.principal || ' ' || name.key, 4717)`;

/**
 * Marks these keys as being worked on until the transaction ends, across instances. Answers the positions
 * (from 0) of those that another transaction is working on.
 */
export async function lockIdempotencyKeys(tx: Tx, names: Name[]): Promise<Set<number>> {
  const rows = await tx.query<{ position: number; free: boolean }>(
    `SELECT (name.ordinality - 1) AS position, pg_try_advisory_xact_lock(${lockNumber}) AS free
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS name (principal, key, ordinality)`,
    [names.map((name) => name.principal), names.map((name) => name.key)],
  );
  return new Set(rows.filter((row) => !row.free).map((row) => row.position));
}

/** The answers kept for these keys. */
export function findAnswers(executor: Executor, names: Name[]): Promise<IdempotencyRow[]> {
  return executor.query(
    `SELECT i.principal, i.key, i.fingerprint, i.outcome, i.revision, i.body, i.answered_at AS "answeredAt"
     FROM unnest($1::text[], $2::text[]) AS name (principal, key)
     JOIN idempotency i ON i.principal = name.principal AND i.key = name.key`,
    [names.map((name) => name.principal), names.map((name) => name.key)],
  );
}

/** Keeps answers, in the transaction of the commits that they tell of. */
export function insertAnswers(tx: Tx, answers: Omit<IdempotencyRow, 'answeredAt'>[]): void {
  tx.send(
    `INSERT INTO idempotency (principal, key, fingerprint, outcome, revision, body)
     SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::jsonb[])`,
    [
      answers.map((answer) => answer.principal),
      answers.map((answer) => answer.key),
      answers.map((answer) => answer.fingerprint),
      answers.map((answer) => answer.outcome),
      answers.map((answer) => answer.revision),
      answers.map((answer) => JSON.stringify(answer.body)),
    ],
  );
}

/** Removes answers older than this many hours, at most `limit` of them; answers how many went. */
export async function deleteExpiredAnswers(tx: Tx, hours: number, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM idempotency WHERE (principal, key) IN (
       SELECT principal, key FROM idempotency WHERE answered_at < now() - make_interval(hours => $1)
       ORDER BY answered_at LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING 1 AS gone`,
    [hours, limit],
  );
  return rows.length;
}
