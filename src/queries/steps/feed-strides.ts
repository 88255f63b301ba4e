import type { FeedFilter } from '../../domain/feed-change.js';
import type { Position } from '../../domain/feed-page.js';
import { findFeedPosition } from '../../store/feed.js';
import type { QueryContext } from '../context.js';

interface Range {
  after: Position;
  head: number;
  filter: FeedFilter;
}

/** How many changes are looked through by one statement, and in how many strides by one page. */
export interface Paces {
  changes: number;
  most: number;
}

const usual: Paces = { changes: 10_000, most: 50 };

/**
 * Reads what has to be looked for in strides, so that no statement goes through the whole log; what does not is read
 * at once. Each stride ends with a commit, so that none is split. A page ends where something was found, or with
 * nothing after so many strides that its reader should hear how far it has come.
 */
export async function readInStrides<In extends Range, Part extends { next: Position }>(
  context: QueryContext,
  range: In,
  read: (stride: In & { upTo: number }) => Promise<Part>,
  isEmpty: (part: Part) => boolean,
  { changes, most }: Paces = usual,
): Promise<Part> {
  const { head } = range;
  if (range.filter.keyPrefix === null) return await read({ ...range, upTo: head });
  const filter = { ...range.filter, keyPrefix: null };
  let { after } = range;
  for (let strides = 1; ; strides += 1) {
    const end = await findFeedPosition(context.db, { after, upTo: head, filter, distance: changes });
    const part = await read({ ...range, after, upTo: end?.revision ?? head });
    if (!isEmpty(part) || end === null || strides === most) return part;
    after = part.next;
  }
}
