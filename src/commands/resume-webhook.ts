import { resumeWebhook as letGoOn } from '../store/webhooks.js';
import type { Context } from './context.js';
import {
  changeWebhook,
  requireFilter,
  requireRetained,
  type WebhookAnswer,
  type WebhookCall,
} from './steps/webhook-steps.js';

/**
 * Goes on with an endpoint where it stopped, at once, also where it waits after attempts that failed.
 *
 * @throws DiptychError `position-expired` where retention has removed data of what follows
 */
export async function resumeWebhook(
  context: Pick<Context, 'db'>,
  input: WebhookCall,
): Promise<WebhookAnswer> {
  return await changeWebhook(context.db, input, async (tx, webhook) => {
    await requireRetained(tx, webhook, await requireFilter(tx, webhook));
    await letGoOn(tx, input.id);
  });
}
