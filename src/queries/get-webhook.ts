import { toWebhookView, type WebhookView, webhookNotFound } from '../domain/webhook.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import { findWebhook } from '../store/webhooks.js';
import type { QueryContext } from './context.js';

/** An endpoint: what it is told of, how far it has come, and what went wrong last. */
export async function getWebhook(
  context: Pick<QueryContext, 'db'>,
  input: { id: string },
): Promise<{ webhook: WebhookView; tag: string; revision: number }> {
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    const stored = await findWebhook(snapshot, input.id);
    if (stored === null) throw webhookNotFound(input.id);
    return { ...toWebhookView(stored, revision), revision };
  });
}
