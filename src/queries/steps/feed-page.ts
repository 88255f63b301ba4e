import { DiptychError } from '../../domain/errors.js';
import type { FeedChange, FeedFilter, FeedSide } from '../../domain/feed-change.js';
import { cutFeed, type Position, parsePosition, wholeCommit } from '../../domain/feed-page.js';
import { isBelowHorizon, positionExpired } from '../../domain/horizon.js';
import { collectionNotFound } from '../../domain/refusals.js';
import { type FeedRow, listFeed, listFeedPositions } from '../../store/feed.js';
import { findFeedState } from '../../store/horizon.js';
import { findReadableCollection } from '../../store/readers.js';
import type { QueryContext } from '../context.js';
import { type Paces, readInStrides } from './feed-strides.js';

/** Which part of the feed a page is read from. */
export interface FeedRange {
  after: Position;
  /** Up to which revision it is read; where it can be read no more, the way on begins there. */
  head: number;
  filter: FeedFilter;
  limit: number;
  /** Of content, or one change. */
  maxBytes: number;
}

/** The part of it that is looked through at a time. */
export type FeedStride = FeedRange & { upTo: number };

export interface FeedPart {
  changes: FeedChange[];
  /** Where to go on from; it moves also where nothing passes the filter. */
  next: Position;
}

/** @throws DiptychError `invalid-request` */
export function readPosition(after: string | undefined): Position {
  const position = parsePosition(after ?? '0');
  if (position) return position;
  const message = 'must be a revision, or `next` of an earlier page';
  throw new DiptychError(
    'invalid-request',
    'The position is neither a revision nor `next` of an earlier page.',
    { errors: [{ in: 'query', pointer: '/after', code: 'position', message }] },
  );
}

/** What is asked for. @throws DiptychError `collection-not-found` */
export async function readFeedFilter(
  context: QueryContext,
  asked: { collection?: string | undefined; keyPrefix?: string | undefined },
): Promise<FeedFilter> {
  const { collection = null, keyPrefix = null } = asked;
  if (collection === null) return { collectionId: null, collection, keyPrefix };
  const found = await findReadableCollection(context.db, collection);
  if (found === null) throw collectionNotFound(collection);
  return { collectionId: found.id, collection, keyPrefix };
}

/**
 * The head, once it is known that the feed can be read on from a position.
 *
 * @throws DiptychError `revision-not-found` above the head, `position-expired` below the horizon
 */
export async function requireReadable(
  context: QueryContext,
  position: Position,
  filter: FeedFilter,
): Promise<number> {
  const { head, horizon } = await findFeedState(context.db, filter.collectionId);
  requireReached(position, head);
  // The change at the horizon has lost a side, so whoever asks for it is refused at once. Whether it is among those
  // of a prefix is known only when they are read.
  if (filter.keyPrefix === null && isBelowHorizon(position, horizon))
    throw positionExpired(horizon, head, filter);
  return head;
}

/** @throws DiptychError `revision-not-found` where the log has not come to the position yet */
export function requireReached(position: Position, head: number): void {
  if (position.revision <= head) return;
  throw new DiptychError(
    'revision-not-found',
    `The position is after revision ${position.revision}, and the head is ${head}.`,
    { extensions: { head } },
  );
}

/** What follows a position, in whole commits where they fit, and where to go on from. */
export function readFeedPage(context: QueryContext, range: FeedRange, paces?: Paces): Promise<FeedPart> {
  return readInStrides(
    context,
    range,
    (stride) => readPart(context, stride),
    ({ changes }) => changes.length === 0,
    paces,
  );
}

async function readPart(context: QueryContext, range: FeedStride): Promise<FeedPart> {
  const { after, filter } = range;
  const positions = await listFeedPositions(context.db, { ...range, limit: range.limit + 1 });
  const cut = cutFeed(positions, range);
  if (cut === null) return { changes: [], next: { revision: range.upTo, ordinal: wholeCommit } };
  const rows = await listFeed(context.db, { after, upTo: cut.last, filter });
  requireWhole(rows, range);
  const end = rows.length === positions.length ? { revision: range.upTo, ordinal: wholeCommit } : cut.next;
  return { changes: rows.map(toChange), next: end };
}

/**
 * Retention may have come in since the position was looked at: what was read is whole only if it lies above the
 * horizon of that moment. Of a prefix it is known of each change whether its data is there.
 *
 * @throws DiptychError `position-expired`
 */
export function requireWhole(
  rows: FeedRow[],
  { after, head, filter }: Pick<FeedRange, 'after' | 'head' | 'filter'>,
): void {
  const horizon = rows[0]?.horizon ?? 0;
  const isLost = filter.keyPrefix === null ? isBelowHorizon(after, horizon) : rows.some(hasLostData);
  if (isLost) throw positionExpired(horizon, head, filter);
}

const hasLostData = (row: FeedRow) =>
  (row.before !== null && row.beforeContent === null) || (row.after !== null && row.afterContent === null);

export function toChange({
  before,
  beforeContent,
  after,
  afterContent,
  horizon,
  ...change
}: FeedRow): FeedChange {
  return { ...change, before: toSide(before, beforeContent), after: toSide(after, afterContent) };
}

const toSide = (version: number | null, content: string | null): FeedSide | null =>
  version === null || content === null ? null : { version, content };
