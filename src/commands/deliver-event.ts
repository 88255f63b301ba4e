import { type Settlement, settleAttempt } from '../domain/webhook-delivery.js';
import type { FeedEvent } from '../domain/webhook-event.js';
import { listSecrets } from '../store/webhook-secrets.js';
import { findReceiver } from '../store/webhook-sender.js';
import type { Context } from './context.js';
import { sendEvent } from './steps/send-event.js';

/** An endpoint in the turn in which its next event was read. */
export interface DeliveryTurn {
  id: string;
  turn: number;
  /** Attempts at this event that failed before. */
  failures: number;
}

/**
 * Sends one event to its endpoint once, and answers what becomes of the endpoint, which the leader is to write. Null
 * when nothing was sent, or the attempt was cut off by the end of the process: it is paused, moved or changed.
 */
export async function deliverEvent(
  context: Pick<Context, 'db' | 'webhooks'>,
  { id, turn, failures }: DeliveryTurn,
  event: FeedEvent,
  signal: AbortSignal,
): Promise<Settlement | null> {
  const receiver = await findReceiver(context.db, id, turn);
  if (receiver === null) return null;
  const secrets = await listSecrets(context.db, id);
  const sent = await sendEvent(context.webhooks, { ...receiver, secrets }, event, signal);
  if (signal.aborted && sent.status === null) return null;
  const state = { webhookId: id, turn, failures, position: event.position };
  return settleAttempt(sent, state, { bounds: context.webhooks.retry, random: Math.random() });
}
