import { pauseWebhook as holdBack } from '../store/webhooks.js';
import type { Context } from './context.js';
import { changeWebhook, type WebhookAnswer, type WebhookCall } from './steps/webhook-steps.js';

/** Sends nothing more to an endpoint until it is resumed; its position stays. */
export async function pauseWebhook(context: Pick<Context, 'db'>, input: WebhookCall): Promise<WebhookAnswer> {
  return await changeWebhook(context.db, input, (tx) => holdBack(tx, input.id, 'by-hand'));
}
