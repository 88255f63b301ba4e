import type { FeedFilter } from '../../domain/feed-change.js';
import type { Position } from '../../domain/feed-page.js';
import type { QueryContext } from '../context.js';
import { requireReadable } from './feed-page.js';

export interface Wait {
  /** How long to wait for something to come, at most. */
  waitSeconds: number;
  /** Ends the wait early. */
  signal?: AbortSignal | undefined;
}

/** A page of the feed carries at most this many bytes of content, or one change. */
export const maxPageBytes = 16 * 1024 * 1024;

/** Reads from a position on; where nothing is there to be read, again with each commit, until the wait is over. */
export async function awaitFeed<Part extends { next: Position }>(
  context: QueryContext,
  from: Wait & { after: Position; filter: FeedFilter },
  read: (range: { after: Position; head: number; filter: FeedFilter; maxBytes: number }) => Promise<Part>,
  isEmpty: (part: Part) => boolean,
): Promise<{ part: Part; head: number }> {
  const { waitSeconds, signal, filter } = from;
  const deadline = performance.now() + waitSeconds * 1_000;
  for (let { after } = from; ; ) {
    const head = await requireReadable(context, after, filter);
    const part = await read({ after, head, filter, maxBytes: maxPageBytes });
    // What has been looked through in vain is told as well, so that nobody looks through it again.
    if (!isEmpty(part) || part.next.revision < head) return { part, head };
    after = part.next;
    const timeoutMs = deadline - performance.now();
    if ((await context.heads.waitAbove(head, { timeoutMs, signal })) === undefined) return { part, head };
  }
}
