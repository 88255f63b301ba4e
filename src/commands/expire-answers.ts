import { withTransaction } from '../store/db.js';
import { deleteExpiredAnswers } from '../store/idempotency.js';
import type { Context } from './context.js';

/** Removed in one transaction, so that no lock is held for long. */
const batchSize = 1_000;

/** Removes answers to Idempotency-Keys older than `hours`; answers how many. */
export async function expireAnswers(context: Pick<Context, 'db'>, input: { hours: number }): Promise<number> {
  for (let removed = 0; ; ) {
    const batch = await withTransaction(context.db, (tx) => deleteExpiredAnswers(tx, input.hours, batchSize));
    removed += batch;
    if (batch < batchSize) return removed;
  }
}
