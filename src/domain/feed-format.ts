import { type FeedChange, sideText } from './feed-change.js';
import { cloudEventText } from './feed-format-cloudevents.js';
import { debeziumText } from './feed-format-debezium.js';
import { rowTexts } from './feed-format-rows.js';

export const feedFormats = ['changes', 'rows', 'debezium', 'cloudevents'] as const;

/** A form in which changes are told. */
export type FeedFormat = (typeof feedFormats)[number];

/**
 * The items that a change is in this form, each the JSON text of one object, on one line. One item, but for an update
 * in `rows`, which is two.
 */
export function formatChange(change: FeedChange, format: FeedFormat): string[] {
  switch (format) {
    case 'changes':
      return [changeText(change)];
    case 'rows':
      return rowTexts(change);
    case 'debezium':
      return [debeziumText(change)];
    case 'cloudevents':
      return [cloudEventText(change)];
  }
}

/** The JSON of a `ChangeView`. */
function changeText(change: FeedChange): string {
  const { revision, ordinal, operation, collection, key, before, after, committedAt, author, message } =
    change;
  return `{"revision":${revision},"ordinal":${ordinal},"operation":"${operation}","collection":"${collection}","key":${JSON.stringify(key)},"before":${sideText(before)},"after":${sideText(after)},"committedAt":"${committedAt.toISOString()}","author":${JSON.stringify(author)},"message":${JSON.stringify(message)}}`;
}
