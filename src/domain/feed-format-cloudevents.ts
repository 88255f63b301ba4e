import { type FeedChange, sideText } from './feed-change.js';
import { formatPosition } from './feed-page.js';

const types = {
  create: 'diptych.record.created',
  update: 'diptych.record.updated',
  delete: 'diptych.record.deleted',
} as const;

/**
 * A change as a CloudEvent (1.0, structured mode). `source` and `id` together are the same whenever and however the
 * event is delivered: a receiver that has seen them has seen the event. The id is the position of the change.
 */
export function cloudEventText(change: FeedChange): string {
  const { revision, ordinal, operation, collection, key, before, after, committedAt, author, message } =
    change;
  const data = `{"revision":${revision},"ordinal":${ordinal},"operation":"${operation}","collection":"${collection}","key":${JSON.stringify(key)},"before":${sideText(before)},"after":${sideText(after)},"author":${JSON.stringify(author)},"message":${JSON.stringify(message)}}`;
  return `{"specversion":"1.0","id":"${formatPosition(change)}","source":"/v1/collections/${collection}","type":"${types[operation]}","subject":${JSON.stringify(key)},"time":"${committedAt.toISOString()}","datacontenttype":"application/json","data":${data}}`;
}
