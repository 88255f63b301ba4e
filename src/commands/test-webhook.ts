import { randomUUID } from 'node:crypto';
import { webhookNotFound } from '../domain/webhook.js';
import { errorOf } from '../domain/webhook-delivery.js';
import { toTestEvent } from '../domain/webhook-event.js';
import { withTransaction } from '../store/db.js';
import { insertAttempt } from '../store/webhook-deliveries.js';
import { listSecrets } from '../store/webhook-secrets.js';
import { findWebhook } from '../store/webhooks.js';
import type { Context } from './context.js';
import { sendEvent } from './steps/send-event.js';

/** How a receiver took a test event. */
export interface WebhookTest {
  event: string;
  delivered: boolean;
  /** Null when there was no answer. */
  status: number | null;
  error: { code: string; message: string } | null;
  durationMs: number;
  /** The beginning of what it answered. */
  answer: string | null;
}

const maxAnswerCharacters = 1_000;

/** Sends an event that tells of nothing, at once and once, whatever the state of the endpoint; its position stays. */
export async function testWebhook(
  context: Pick<Context, 'db' | 'webhooks'>,
  { id }: { id: string },
): Promise<WebhookTest> {
  const { db, webhooks } = context;
  const webhook = await findWebhook(db, id);
  if (webhook === null) throw webhookNotFound(id);
  const secrets = await listSecrets(db, id);
  const event = toTestEvent(randomUUID(), id, webhooks.now());
  const sent = await sendEvent(webhooks, { url: webhook.url, secrets }, event);
  const failed = errorOf(sent);
  const { eventId, at, status, durationMs } = sent;
  const attempt = { eventId, attempt: 1, at, status, error: failed?.code ?? null, durationMs };
  await withTransaction(db, (tx) => insertAttempt(tx, id, attempt));
  return {
    event: eventId,
    delivered: failed === null,
    status,
    error: failed && { code: failed.code, message: failed.message },
    durationMs,
    // Whole characters, which JSON can carry.
    answer: sent.answer?.slice(0, maxAnswerCharacters).toWellFormed() ?? null,
  };
}
