import type { FeedChange } from '../domain/feed-change.js';
import { formatPosition } from '../domain/feed-page.js';
import type { QueryContext } from './context.js';
import { readFeedFilter, readFeedPage, readPosition, requireReadable } from './steps/feed-page.js';

export interface ReadChangesInput {
  /** A revision, or `next` of an earlier page; the beginning if absent. */
  after?: string | undefined;
  limit: number;
  collection?: string | undefined;
  keyPrefix?: string | undefined;
  /** How long to wait for something to come, at most. */
  waitSeconds: number;
  /** Ends the wait early. */
  signal?: AbortSignal | undefined;
}

export interface ChangesPage {
  changes: FeedChange[];
  /** Where to go on from. */
  next: string;
  head: number;
}

/** A page carries at most this many bytes of content, or one change. */
const maxBytes = 16 * 1024 * 1024;

/** What happened after a position, in the order in which readers saw it, with both records of each change. */
export async function readChanges(context: QueryContext, input: ReadChangesInput): Promise<ChangesPage> {
  let position = readPosition(input.after);
  const deadline = performance.now() + input.waitSeconds * 1_000;
  const filter = await readFeedFilter(context, input);
  for (;;) {
    const head = await requireReadable(context, position, filter);
    const { changes, next } = await readFeedPage(context, {
      after: position,
      upTo: head,
      filter,
      limit: input.limit,
      maxBytes,
    });
    const page = { changes, next: formatPosition(next), head };
    // What has been looked through in vain is told as well, so that nobody looks through it again.
    if (changes.length > 0 || next.revision < head) return page;
    position = next;
    const timeoutMs = deadline - performance.now();
    if ((await context.heads.waitAbove(head, { timeoutMs, signal: input.signal })) === undefined) return page;
  }
}
