import type { Page } from '../domain/record.js';
import { toWebhookView, type WebhookView } from '../domain/webhook.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import { listWebhooks as listRows } from '../store/webhooks.js';
import type { QueryContext } from './context.js';
import { cutPage, formatNumberCursor, readNumberCursor } from './steps/number-cursor.js';

const list = 'webhooks';

/** Endpoints, newest first. */
export async function listWebhooks(
  context: Pick<QueryContext, 'db'>,
  input: { limit: number; cursor?: string | undefined },
): Promise<{ page: Page<WebhookView>; revision: number }> {
  const below = readNumberCursor(list, input.cursor);
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    const found = await listRows(snapshot, below, input.limit + 1);
    const { rows, next } = cutPage(found, input.limit, (last) => formatNumberCursor(list, last.number));
    return { page: { items: rows.map((row) => toWebhookView(row, revision).webhook), next }, revision };
  });
}
