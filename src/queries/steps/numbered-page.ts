import { DiptychError } from '../../domain/errors.js';
import { type Position, positionBefore, wholeCommit } from '../../domain/feed-page.js';
import { findFeedPosition, listFeedAt, listFeedPositions } from '../../store/feed.js';
import { findHead } from '../../store/head.js';
import type { PageSeries } from '../../store/page-starts.js';
import type { QueryContext } from '../context.js';
import { maxPageBytes } from './await-feed.js';
import { type FeedPart, requireReached, requireReadable, requireWhole, toChange } from './feed-page.js';

interface Numbered extends PageSeries {
  /** From 1, which begins after the position. */
  page: number;
  limit: number;
}

/** A page by its number: exactly `limit` changes, whatever commits they are of, but on the last. */
export async function readNumberedPage(
  context: QueryContext,
  wanted: Numbered,
): Promise<{ part: FeedPart; head: number }> {
  const { limit, filter } = wanted;
  const after = await findStart(context, wanted);
  if (after === null) {
    const { revision: head } = await findHead(context.db);
    requireReached(wanted.after, head);
    return { part: { changes: [], next: endOf(head) }, head };
  }
  const head = await requireReadable(context, after, filter);
  const ahead = await listFeedPositions(context.db, { after, upTo: head, filter, limit: limit + 1 });
  const places = ahead.slice(0, limit);
  requireFit(places);
  const rows = await listFeedAt(context.db, places, filter);
  requireWhole(rows, { after, head, filter });
  const following = ahead[limit];
  if (following === undefined) return { part: { changes: rows.map(toChange), next: endOf(head) }, head };
  const next = positionBefore(following);
  context.pageStarts.keep(wanted, { offset: wanted.page * limit, position: next });
  return { part: { changes: rows.map(toChange), next }, head };
}

const endOf = (head: number): Position => ({ revision: head, ordinal: wholeCommit });

/**
 * The position before the page; null where the log does not reach it. Most often it is known, as the end of the
 * page before. Else the changes between are counted along the index.
 */
async function findStart(context: QueryContext, wanted: Numbered): Promise<Position | null> {
  const { page, limit, filter } = wanted;
  const offset = (page - 1) * limit;
  const known = context.pageStarts.before(wanted, offset, limit);
  const distance = offset - known.offset;
  if (distance === 0) return known.position;
  const upTo = Number.MAX_SAFE_INTEGER;
  const range = { after: known.position, upTo, filter, distance: distance + 1 };
  const first = await findFeedPosition(context.db, range);
  if (first === null) return null;
  const position = positionBefore(first);
  context.pageStarts.keep(wanted, { offset, position });
  return position;
}

/** A page by its number cannot end early: what is left of it would be on no page. */
function requireFit(places: { bytes: number }[]): void {
  const bytes = places.reduce((sum, place) => sum + place.bytes, 0);
  if (places.length <= 1 || bytes <= maxPageBytes) return;
  const message = `The changes of this page hold ${bytes} bytes, and a page ${maxPageBytes} at most: take a smaller limit, or go on by cursor.`;
  throw new DiptychError('invalid-request', message, {
    errors: [{ in: 'query', pointer: '/limit', code: 'too-large', message }],
  });
}
