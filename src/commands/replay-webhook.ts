import { replayWebhook as movePosition } from '../store/webhooks.js';
import type { Context } from './context.js';
import {
  changeWebhook,
  positionAfter,
  requireFilter,
  type WebhookAnswer,
  type WebhookCall,
} from './steps/webhook-steps.js';

/**
 * Moves the position of an endpoint, back or on: what was committed after the revision is sent next. One that the
 * service has paused goes on; one that somebody has paused stays so.
 *
 * @throws DiptychError `revision-not-found` beyond the head, `position-expired` below the horizon
 */
export async function replayWebhook(
  context: Pick<Context, 'db'>,
  input: WebhookCall & { after: number },
): Promise<WebhookAnswer> {
  return await changeWebhook(context.db, input, async (tx, webhook) => {
    const after = await positionAfter(tx, input.after, await requireFilter(tx, webhook));
    await movePosition(tx, input.id, { after, paused: webhook.paused === 'by-hand' ? 'by-hand' : null });
  });
}
