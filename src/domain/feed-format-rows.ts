import type { FeedChange, FeedSide } from './feed-change.js';

/** What a row says happened to it, as Apache SeaTunnel and Flink spell it. */
type RowKind = '+I' | '-U' | '+U' | '-D';

/**
 * A change as flat rows: an insert or a deletion is one, an update two, the row before and the row after. They stand
 * next to each other, and nothing else comes between.
 */
export function rowTexts(change: FeedChange): string[] {
  const { before, after } = change;
  const rows: string[] = [];
  if (before !== null) rows.push(rowText(change, before, after === null ? '-D' : '-U'));
  if (after !== null) rows.push(rowText(change, after, before === null ? '+I' : '+U'));
  return rows;
}

function rowText(change: FeedChange, side: FeedSide, kind: RowKind): string {
  const { revision, collection, key, committedAt, author, message } = change;
  // A column of the type `timestamp` takes no zone; it is UTC.
  const time = committedAt.toISOString().slice(0, -1);
  return `{"seq":${rowNumber(change, kind)},"row_kind":"${kind}","collection":"${collection}","record_key":${JSON.stringify(key)},"version":${side.version},"revision":${revision},"committed_at":"${time}","author":${JSON.stringify(author)},"message":${JSON.stringify(message)},"payload":${side.content}}`;
}

/** An ordinal has nine digits at most, and each change two places: of the row before, and of the row after. */
const placesOfCommit = 2_000_000_000n;

/**
 * The place of a row among all rows. It strictly increases along the feed, and no two rows share it, however large
 * their commits are. A signed integer of 64 bits holds it up to revision 4,611,686,017.
 */
export function rowNumber(at: { revision: number; ordinal: number }, kind: RowKind): bigint {
  const side = kind === '-U' || kind === '-D' ? 0n : 1n;
  return BigInt(at.revision) * placesOfCommit + BigInt(at.ordinal) * 2n + side;
}
