import type { FeedChange } from '../domain/feed-change.js';
import { formatPosition } from '../domain/feed-page.js';
import type { QueryContext } from './context.js';
import { awaitFeed, type Wait } from './steps/await-feed.js';
import { readFeedFilter, readFeedPage, readPosition } from './steps/feed-page.js';
import { readNumberedPage } from './steps/numbered-page.js';

export interface ReadChangesInput extends Wait {
  /** A revision, or `next` of an earlier page; the beginning if absent. */
  after?: string | undefined;
  /** Counted from the position, and without a prefix, which it could not bound: the number of the page, from 1. */
  page?: number | undefined;
  limit: number;
  collection?: string | undefined;
  keyPrefix?: string | undefined;
}

export interface ChangesPage {
  changes: FeedChange[];
  /** Where to go on from. */
  next: string;
  head: number;
}

/** What happened after a position, in the order in which readers saw it, with both records of each change. */
export async function readChanges(context: QueryContext, input: ReadChangesInput): Promise<ChangesPage> {
  const after = readPosition(input.after);
  const filter = await readFeedFilter(context, input);
  const { limit, page } = input;
  const { part, head } =
    page === undefined
      ? await awaitFeed(
          context,
          { ...input, after, filter },
          (range) => readFeedPage(context, { ...range, limit }),
          ({ changes }) => changes.length === 0,
        )
      : await readNumberedPage(context, { page, limit, after, filter });
  return { changes: part.changes, next: formatPosition(part.next), head };
}
