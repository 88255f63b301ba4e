import type { FeedCommit } from '../domain/feed-commits.js';
import { formatPosition } from '../domain/feed-page.js';
import type { QueryContext } from './context.js';
import { awaitFeed, type Wait } from './steps/await-feed.js';
import { readCommitsPage } from './steps/feed-commits.js';
import { readFeedFilter, readPosition } from './steps/feed-page.js';

export interface ReadCommitsInput extends Wait {
  after?: string | undefined;
  /** Counts commits. */
  limit: number;
  collection?: string | undefined;
  keyPrefix?: string | undefined;
}

export interface CommitsPage {
  commits: FeedCommit[];
  /** Where to go on from. */
  next: string;
  head: number;
}

/** What happened after a position, commit by commit, with both records of each change. */
export async function readCommits(context: QueryContext, input: ReadCommitsInput): Promise<CommitsPage> {
  const after = readPosition(input.after);
  const filter = await readFeedFilter(context, input);
  const { part, head } = await awaitFeed(
    context,
    { ...input, after, filter },
    (range) => readCommitsPage(context, { ...range, limit: input.limit }),
    ({ commits }) => commits.length === 0,
  );
  return { commits: part.commits, next: formatPosition(part.next), head };
}
