import type { FeedChange } from './feed-change.js';
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
