import { withTransaction } from '../store/db.js';
import { deleteOldAttempts, deleteSurplusAttempts } from '../store/webhook-deliveries.js';
import { deleteExpiredSecrets } from '../store/webhook-secrets.js';
import { listWebhookIds } from '../store/webhooks.js';
import type { Context } from './context.js';

/** Removed in one transaction, so that no lock is held for long. */
const batchSize = 1_000;

/** What is kept of the log of deliveries: the last week, and of each endpoint no more than so many attempts. */
export const deliveriesKept = { days: 7, perWebhook: 2_000 };

/** Removes attempts of the log that are old or too many, and secrets whose time is over; answers how many. */
export async function expireDeliveries(
  context: Pick<Context, 'db'>,
  kept: { days: number; perWebhook: number } = deliveriesKept,
): Promise<number> {
  const { db } = context;
  let removed = await withTransaction(db, (tx) => deleteExpiredSecrets(tx));
  const inBatches = async (remove: () => Promise<number>) => {
    for (let batch = batchSize; batch === batchSize; removed += batch) batch = await remove();
  };
  await inBatches(() => withTransaction(db, (tx) => deleteOldAttempts(tx, kept.days, batchSize)));
  for (const id of await listWebhookIds(db))
    await inBatches(() =>
      withTransaction(db, (tx) => deleteSurplusAttempts(tx, id, kept.perWebhook, batchSize)),
    );
  return removed;
}
