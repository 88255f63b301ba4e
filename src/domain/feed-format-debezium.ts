import type { FeedChange, FeedSide } from './feed-change.js';

const operations = { create: 'c', update: 'u', delete: 'd' } as const;

/**
 * A change as Debezium tells of it: the whole row before and after. Rows are flat, so the content of a record is one
 * column, a text of JSON.
 */
export function debeziumText(change: FeedChange): string {
  const { revision, ordinal, operation, collection, committedAt, author, message } = change;
  const time = committedAt.getTime();
  // The time is that of the commit in both places, so that a change is the same text however often it is read.
  const source = `{"version":"1","connector":"diptych","name":"diptych","ts_ms":${time},"snapshot":"false","db":"diptych","schema":"v1","table":"${collection}","revision":${revision},"ordinal":${ordinal},"author":${JSON.stringify(author)},"message":${JSON.stringify(message)}}`;
  return `{"before":${rowOf(change, change.before)},"after":${rowOf(change, change.after)},"op":"${operations[operation]}","ts_ms":${time},"source":${source}}`;
}

function rowOf({ collection, key }: FeedChange, side: FeedSide | null): string {
  if (side === null) return 'null';
  return `{"collection":"${collection}","record_key":${JSON.stringify(key)},"version":${side.version},"payload":${JSON.stringify(side.content)}}`;
}
