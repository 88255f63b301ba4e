import { cutCommits, type FeedCommit, maxInlineChanges } from '../../domain/feed-commits.js';
import { type Position, wholeCommit } from '../../domain/feed-page.js';
import { listFeedAt, listFeedPositions } from '../../store/feed.js';
import { type LogRow, listCommitsBetween } from '../../store/log.js';
import type { QueryContext } from '../context.js';
import { type FeedRange, type FeedStride, requireWhole, toChange } from './feed-page.js';
import { readInStrides } from './feed-strides.js';

export interface CommitsPart {
  commits: FeedCommit[];
  next: Position;
}

/** So many changes are looked at for a page of commits: more than one of them shows. */
const changesAhead = 5 * maxInlineChanges;

/** The commits that follow a position, as `readCommitsPart` finds them. */
export function readCommitsPage(context: QueryContext, range: FeedRange): Promise<CommitsPart> {
  return readInStrides(
    context,
    range,
    (stride) => readCommitsPart(context, stride),
    ({ commits }) => commits.length === 0,
  );
}

/**
 * Without a filter every commit is there, also one that moved no record; with one,
 * those that did something that passes it.
 */
async function readCommitsPart(context: QueryContext, range: FeedStride): Promise<CommitsPart> {
  const { after, upTo, filter, limit } = range;
  const ahead = await listFeedPositions(context.db, { ...range, limit: changesAhead });
  const cut = cutCommits(ahead, { ...range, isAll: ahead.length < changesAhead });
  const [first] = cut.shown;
  const isAll = filter.collectionId === null && filter.keyPrefix === null;
  const commits = await listCommitsBetween(context.db, {
    // A commit that the position is in is there as long as something of it is left.
    from: first?.revision === after.revision ? after.revision : after.revision + 1,
    upTo: cut.next?.revision ?? upTo,
    revisions: isAll ? null : [...new Set(cut.shown.map(({ revision }) => revision))],
    limit,
  });
  const end = nextOf(commits, limit) ?? cut.next ?? { revision: upTo, ordinal: wholeCommit };
  const shown = cut.shown.filter(({ revision }) => revision <= end.revision);
  const rows = await listFeedAt(context.db, shown, filter);
  requireWhole(rows, range);
  const entries = commits.map(
    ({ revision, kind, committedAt, author, message, changeset, changeCount }): FeedCommit => ({
      ...{ revision, kind, committedAt, author, message, changeset, changeCount },
      changes: rows.filter((row) => row.revision === revision).map(toChange),
      more: cut.more.get(revision) ?? null,
    }),
  );
  return { commits: entries, next: end };
}

/** A full page of commits ends with the last of them. */
function nextOf(commits: LogRow[], limit: number): Position | null {
  const last = commits.at(-1);
  return last === undefined || commits.length < limit
    ? null
    : { revision: last.revision, ordinal: wholeCommit };
}
