import type { Position } from '../domain/feed-page.js';
import { placeChanges } from '../domain/feed-view.js';
import type { WebhookFilter } from '../domain/webhook.js';
import { type FeedEvent, toFeedEvent } from '../domain/webhook-event.js';
import type { QueryContext } from './context.js';
import { readFeedFilter, readFeedPage, requireReadable } from './steps/feed-page.js';

export interface WebhookEventsPage {
  events: FeedEvent[];
  /** Where to go on from; it moves also where nothing passes the filter. */
  next: Position;
  head: number;
}

/** Few at a time, because every endpoint that is being sent to holds a page for a moment. */
const pageBounds = { limit: 50, maxBytes: 256 * 1024 };

/**
 * What is to be sent next to an endpoint.
 *
 * @throws DiptychError `position-expired` where retention has been faster
 */
export async function readWebhookEvents(
  context: QueryContext,
  { position, collection, keyPrefix }: WebhookFilter & { position: Position },
): Promise<WebhookEventsPage> {
  const filter = await readFeedFilter(context, {
    collection: collection ?? undefined,
    keyPrefix: keyPrefix ?? undefined,
  });
  const head = await requireReadable(context, position, filter);
  const { changes, next } = await readFeedPage(context, {
    after: position,
    head,
    filter,
    ...pageBounds,
  });
  const placed = placeChanges(changes, next);
  const events = placed.map(({ change, position }, index) =>
    // With the last one everything is delivered that has been looked through.
    toFeedEvent(change, index === placed.length - 1 ? next : position),
  );
  return { events, next, head };
}
