import type { Actor } from '../domain/actor.js';
import { DiptychError } from '../domain/errors.js';
import type { WebhookContent } from '../domain/webhook.js';
import { formatSecret } from '../domain/webhook-signature.js';
import { requireUrl } from '../domain/webhook-url.js';
import { newSecret } from '../lib/random-secret.js';
import { withTransaction } from '../store/db.js';
import { insertSecret } from '../store/webhook-secrets.js';
import { insertWebhook, maxWebhooks } from '../store/webhooks.js';
import type { Context } from './context.js';
import { positionAfter, readBack, requireFilter, type WebhookAnswer } from './steps/webhook-steps.js';

export interface CreateWebhookInput extends WebhookContent {
  /** It is told of what was committed after this revision; after the newest one if not given. */
  after?: number | undefined;
  actor: Actor;
}

/** Adds an endpoint. Its secret is in this answer and in no other. */
export async function createWebhook(
  context: Pick<Context, 'db' | 'webhooks'>,
  input: CreateWebhookInput,
): Promise<WebhookAnswer & { secret: string }> {
  const { actor, after: revision, ...content } = input;
  const url = requireUrl(content.url, context.webhooks.allow);
  const secret = newSecret();
  return await withTransaction(context.db, async (tx) => {
    const after = await positionAfter(tx, revision, await requireFilter(tx, content));
    const id = await insertWebhook(tx, { ...content, url, after, createdBy: actor.name });
    if (id === null)
      throw new DiptychError('webhook-limit', `There are ${maxWebhooks} webhooks, which is the most.`);
    await insertSecret(tx, id, secret);
    return { ...(await readBack(tx, id)), secret: formatSecret(secret) };
  });
}
