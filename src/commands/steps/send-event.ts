import type { SentEvent } from '../../domain/webhook-delivery.js';
import type { WebhookEvent } from '../../domain/webhook-event.js';
import { parseRetryAfter } from '../../domain/webhook-retry.js';
import { signatureHeaders } from '../../domain/webhook-signature.js';
import { PostError } from '../../lib/guarded-post.js';
import type { WebhookSettings } from '../context.js';

/** As much of an answer is looked at. */
const maxAnswerBytes = 4 * 1024;

/** Signs an event and posts it once. The answer's beginning comes along for whoever shows it. */
export async function sendEvent(
  { poster, attemptTimeoutMs, now }: WebhookSettings,
  receiver: { url: string; secrets: readonly Buffer[] },
  event: WebhookEvent,
  signal?: AbortSignal,
): Promise<SentEvent & { answer: string | null }> {
  const at = now();
  const start = performance.now();
  const base = () => ({ eventId: event.id, at, durationMs: Math.round(performance.now() - start) });
  try {
    const { status, headers, text } = await poster.post({
      url: receiver.url,
      headers: {
        'content-type': 'application/cloudevents+json; charset=utf-8',
        'user-agent': 'Diptych-Webhooks/1',
        ...signatureHeaders({ ...event, at }, receiver.secrets),
      },
      body: event.body,
      timeoutMs: attemptTimeoutMs,
      maxAnswerBytes,
      signal,
    });
    const retryAfterMs = parseRetryAfter(headers['retry-after'], now());
    return { ...base(), status, failure: null, retryAfterMs, answer: text };
  } catch (error) {
    if (!(error instanceof PostError)) throw error;
    const failure = { code: error.code, message: error.message };
    return { ...base(), status: null, failure, retryAfterMs: null, answer: null };
  }
}
