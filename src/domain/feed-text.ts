import type { FeedChange } from './feed-change.js';
import { commitText, type FeedCommit } from './feed-commits.js';
import { type FeedFormat, formatChange } from './feed-format.js';

/**
 * The JSON of a page of the feed. In the forms for other programs it is `data` and `next_cursor`, which is null when
 * there is nothing more up to `head`: they stop there.
 */
export function feedPageText(
  page: { changes: FeedChange[]; next: string; head: number },
  format: FeedFormat,
): string {
  const { changes, next, head } = page;
  const items = changes.flatMap((change) => formatChange(change, format)).join(',');
  if (format === 'changes') return `{"changes":[${items}],"next":"${next}","head":${head}}`;
  const nextCursor = next === String(head) ? null : next;
  return `{"data":[${items}],"next_cursor":${JSON.stringify(nextCursor)},"head":${head}}`;
}

/** The JSON of a page of commits. */
export function commitsPageText(page: { commits: FeedCommit[]; next: string; head: number }): string {
  return `{"commits":[${page.commits.map(commitText).join(',')}],"next":"${page.next}","head":${page.head}}`;
}
