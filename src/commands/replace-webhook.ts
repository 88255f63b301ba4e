import type { WebhookContent } from '../domain/webhook.js';
import { requireUrl } from '../domain/webhook-url.js';
import type { Tx } from '../store/db.js';
import { updateWebhook } from '../store/webhooks.js';
import type { Context } from './context.js';
import { changeWebhook, requireFilter, type WebhookAnswer, type WebhookCall } from './steps/webhook-steps.js';

/** Gives an endpoint another receiver, description or filter. Its position and its secrets stay. */
export async function replaceWebhook(
  context: Pick<Context, 'db' | 'webhooks'>,
  input: WebhookCall & { content: WebhookContent },
): Promise<WebhookAnswer> {
  const content = { ...input.content, url: requireUrl(input.content.url, context.webhooks.allow) };
  const change = async (tx: Tx) => {
    await requireFilter(tx, content);
    await updateWebhook(tx, input.id, content);
  };
  return await changeWebhook(context.db, input, change, { required: true });
}
