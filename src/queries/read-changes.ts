import type { ChangeView } from '../domain/commit.js';
import { formatPosition } from '../domain/feed-page.js';
import type { QueryContext } from './context.js';
import { readFeedCollection, readFeedPage, readPosition, requireReadable } from './steps/feed-page.js';

export interface ReadChangesInput {
  /** A revision, or `next` of an earlier page; the beginning if absent. */
  after?: string | undefined;
  limit: number;
  collection?: string | undefined;
  /** How long to wait for something to come, at most. */
  waitSeconds: number;
  /** Ends the wait early. */
  signal?: AbortSignal | undefined;
}

export interface ChangesPage {
  changes: ChangeView[];
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
  const collectionId = await readFeedCollection(context, input.collection);
  for (;;) {
    const head = await requireReadable(context, position, collectionId);
    const page = await readFeedPage(context, {
      after: position,
      upTo: head,
      collectionId,
      limit: input.limit,
      maxBytes,
    });
    if (page.changes.length > 0) return { ...page, next: formatPosition(page.next), head };
    position = page.next;
    const timeoutMs = deadline - performance.now();
    if ((await context.heads.waitAbove(head, { timeoutMs, signal: input.signal })) === undefined) {
      return { changes: [], next: formatPosition(position), head };
    }
  }
}
