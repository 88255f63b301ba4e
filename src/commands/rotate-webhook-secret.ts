import { formatSecret } from '../domain/webhook-signature.js';
import { newSecret } from '../lib/random-secret.js';
import { insertSecret, retireSecret } from '../store/webhook-secrets.js';
import { countWebhookEdit } from '../store/webhooks.js';
import type { Context } from './context.js';
import { changeWebhook, type WebhookAnswer, type WebhookCall } from './steps/webhook-steps.js';

/** Gives an endpoint another secret. The one before signs as well for so many hours, and not at all with 0. */
export async function rotateWebhookSecret(
  context: Pick<Context, 'db'>,
  input: WebhookCall & { graceHours: number },
): Promise<WebhookAnswer & { secret: string; previousExpiresAt: string }> {
  const secret = newSecret();
  const { result, ...answer } = await changeWebhook(context.db, input, async (tx) => {
    const expiresAt = await retireSecret(tx, input.id, input.graceHours * 3_600);
    await insertSecret(tx, input.id, secret);
    await countWebhookEdit(tx, input.id);
    return expiresAt;
  });
  return { ...answer, secret: formatSecret(secret), previousExpiresAt: result.toISOString() };
}
