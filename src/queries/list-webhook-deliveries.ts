import type { Page } from '../domain/record.js';
import { webhookNotFound } from '../domain/webhook.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import { listAttempts, type StoredAttempt } from '../store/webhook-deliveries.js';
import { hasWebhook } from '../store/webhooks.js';
import type { QueryContext } from './context.js';
import { cutPage, formatNumberCursor, readNumberCursor } from './steps/number-cursor.js';

/** An attempt to deliver an event. */
export interface DeliveryView {
  event: string;
  attempt: number;
  at: string;
  delivered: boolean;
  status: number | null;
  error: string | null;
  durationMs: number;
}

/** What became of the events of an endpoint, newest first, as far as the log goes back. */
export async function listWebhookDeliveries(
  context: Pick<QueryContext, 'db'>,
  input: { id: string; limit: number; cursor?: string | undefined },
): Promise<{ page: Page<DeliveryView>; revision: number }> {
  const { id, limit } = input;
  const list = `deliveries ${id}`;
  const below = readNumberCursor(list, input.cursor);
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    if (!(await hasWebhook(snapshot, id))) throw webhookNotFound(id);
    const found = await listAttempts(snapshot, id, below, limit + 1);
    const { rows, next } = cutPage(found, limit, (last) => formatNumberCursor(list, last.number));
    return { page: { items: rows.map(toView), next }, revision };
  });
}

function toView({ eventId, attempt, at, status, error, durationMs }: StoredAttempt): DeliveryView {
  const delivered = error === null;
  return { event: eventId, attempt, at: at.toISOString(), delivered, status, error, durationMs };
}
