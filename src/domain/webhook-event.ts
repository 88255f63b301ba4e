import type { FeedChange } from './feed-change.js';
import { formatChange } from './feed-format.js';
import type { Position } from './feed-page.js';

/** What is sent in one request. */
export interface WebhookEvent {
  /** The same at each attempt. */
  id: string;
  /** A CloudEvent in structured mode. */
  body: string;
}

/** An event of the feed, and the position up to which everything is delivered once it is. */
export interface FeedEvent extends WebhookEvent {
  position: Position;
}

/** Of a change. No full stop in the id, which stands between the parts of what is signed. */
export function toFeedEvent(change: FeedChange, position: Position): FeedEvent {
  const { revision, ordinal } = change;
  const [body = ''] = formatChange(change, 'cloudevents');
  return { id: `evt_${revision}_${ordinal}`, body, position };
}

/** An event that tells of nothing, to see whether a receiver takes one. */
export function toTestEvent(id: string, webhookId: string, at: Date): WebhookEvent {
  const event = {
    specversion: '1.0',
    id: `test_${id}`,
    source: `/v1/webhooks/${webhookId}`,
    type: 'diptych.webhook.test',
    time: at.toISOString(),
    datacontenttype: 'application/json',
    data: { webhook: webhookId },
  };
  return { id: event.id, body: JSON.stringify(event) };
}
