import { type ActiveWebhook, listActiveWebhooks as listRows } from '../store/webhook-sender.js';
import type { QueryContext } from './context.js';

export type { ActiveWebhook };

/** The endpoints that events are sent to, and where each stands. */
export function listActiveWebhooks(context: Pick<QueryContext, 'db'>): Promise<ActiveWebhook[]> {
  return listRows(context.db);
}
