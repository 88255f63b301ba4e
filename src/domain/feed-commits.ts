import type { CommitKind } from './commit.js';
import { type FeedChange, sideText } from './feed-change.js';
import { formatPosition, type Position, wholeCommit } from './feed-page.js';

/** A commit shows at most this many of its changes. */
export const maxInlineChanges = 1_000;

type Sized = Position & { bytes: number };

/** What a page of commits shows of the changes ahead. */
export interface CommitsCut {
  /** The changes, in order. */
  shown: Position[];
  /** By revision, where the feed goes on inside of a commit that is not shown whole. */
  more: Map<number, Position>;
  /** Where to go on from: after a whole commit; null when nothing is left ahead. */
  next: Position | null;
}

/**
 * Which of the changes ahead a page of so many commits shows. A commit that is too large is shown in part, alone or
 * at the end of its first thousand changes; the page after it goes on with the next commit.
 *
 * @param ahead what follows the start
 * @param bounds `isAll` unless there may be more than `ahead`, which then is longer than a commit is shown
 */
export function cutCommits(
  ahead: Sized[],
  bounds: { limit: number; maxBytes: number; isAll: boolean },
): CommitsCut {
  const cut: CommitsCut = { shown: [], more: new Map(), next: null };
  const groups = [...groupByCommit(ahead)];
  let left = bounds.maxBytes;
  for (const [index, group] of groups.entries()) {
    const isFirst = index === 0;
    const isKnown = bounds.isAll || index < groups.length - 1 || group.length > maxInlineChanges;
    const inline = group.slice(0, maxInlineChanges);
    const bytes = inline.reduce((sum, change) => sum + change.bytes, 0);
    if (index === bounds.limit || (!isFirst && (!isKnown || bytes > left))) return cut;
    const fitting = isFirst ? withinBytes(inline, left) : inline;
    const last = fitting.at(-1);
    if (last === undefined) return cut;
    cut.shown.push(...fitting);
    if (fitting.length < group.length) cut.more.set(last.revision, last);
    left -= bytes;
    const isEnd = bounds.isAll && index === groups.length - 1;
    cut.next = isEnd ? null : { revision: last.revision, ordinal: wholeCommit };
  }
  return cut;
}

function* groupByCommit(changes: Sized[]): Generator<Sized[]> {
  let group: Sized[] = [];
  for (const change of changes) {
    if (group.length > 0 && group[0]?.revision !== change.revision) {
      yield group;
      group = [];
    }
    group.push(change);
  }
  if (group.length > 0) yield group;
}

/** As many from the beginning as fit, but one at least. */
function withinBytes(changes: Sized[], maxBytes: number): Sized[] {
  let bytes = 0;
  const end = changes.findIndex((change, index) => {
    bytes += change.bytes;
    return index > 0 && bytes > maxBytes;
  });
  return end === -1 ? changes : changes.slice(0, end);
}

/** A commit as the feed shows it. */
export interface FeedCommit {
  revision: number;
  kind: CommitKind;
  committedAt: Date;
  author: string;
  message: string | null;
  changeset: string | null;
  changeCount: number;
  changes: FeedChange[];
  /** The position from which the feed shows the rest of its changes; null: all are here. */
  more: Position | null;
}

/** The JSON of such a commit. */
export function commitText(commit: FeedCommit): string {
  const { revision, kind, committedAt, author, message, changeset, changeCount, changes, more } = commit;
  const items = changes.map(memberText).join(',');
  return `{"revision":${revision},"kind":"${kind}","committedAt":"${committedAt.toISOString()}","author":${JSON.stringify(author)},"message":${JSON.stringify(message)},"changeset":${JSON.stringify(changeset)},"changeCount":${changeCount},"changes":[${items}],"more":${JSON.stringify(more && formatPosition(more))}}`;
}

/** A change without what it shares with its commit. */
function memberText({ ordinal, operation, collection, key, before, after }: FeedChange): string {
  return `{"ordinal":${ordinal},"operation":"${operation}","collection":"${collection}","key":${JSON.stringify(key)},"before":${sideText(before)},"after":${sideText(after)}}`;
}
