import { withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import { deleteWebhook as removeWebhook } from '../store/webhooks.js';
import type { Context } from './context.js';
import { requireWebhook, type WebhookCall } from './steps/webhook-steps.js';

/** Ends an endpoint: nothing more is sent to it, and its secrets and its log are gone. */
export async function deleteWebhook(
  context: Pick<Context, 'db'>,
  input: WebhookCall,
): Promise<{ revision: number }> {
  return await withTransaction(context.db, async (tx) => {
    await requireWebhook(tx, input, { required: false });
    await removeWebhook(tx, input.id);
    const { revision } = await findHead(tx);
    return { revision };
  });
}
