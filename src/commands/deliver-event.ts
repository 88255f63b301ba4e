import { type Settlement, settleAttempt } from '../domain/webhook-delivery.js';
import type { FeedEvent } from '../domain/webhook-event.js';
import type { Context } from './context.js';
import type { LeadSession } from './steps/lead-session.js';
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
 *
 * @param lead is asked where the event goes and what signs it at this moment; who leads no more has no answer
 */
export async function deliverEvent(
  context: Pick<Context, 'webhooks'>,
  { id, turn, failures }: DeliveryTurn,
  event: FeedEvent,
  lead: Pick<LeadSession, 'findReceiver'> & { lost: AbortSignal },
): Promise<Settlement | null> {
  const receiver = await lead.findReceiver({ webhookId: id, turn });
  if (receiver === null) return null;
  const sent = await sendEvent(context.webhooks, receiver, event, lead.lost);
  if (lead.lost.aborted && sent.status === null) return null;
  const state = { webhookId: id, turn, failures, position: event.position };
  return settleAttempt(sent, state, { bounds: context.webhooks.retry, random: Math.random() });
}
