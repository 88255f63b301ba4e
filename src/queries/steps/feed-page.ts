import { DiptychError } from '../../domain/errors.js';
import type { FeedChange, FeedFilter, FeedSide } from '../../domain/feed-change.js';
import { cutFeed, type Position, parsePosition, wholeCommit } from '../../domain/feed-page.js';
import { isBelowHorizon, positionExpired } from '../../domain/horizon.js';
import { collectionNotFound } from '../../domain/refusals.js';
import { findFeedState } from '../../store/horizon.js';
import { type FeedRow, findFeedRevision, listFeed, listFeedPositions } from '../../store/log.js';
import { findReadableCollection } from '../../store/readers.js';
import type { QueryContext } from '../context.js';

/** Which part of the feed a page is read from. */
export interface FeedRange {
  after: Position;
  /** A revision that there is. */
  upTo: number;
  filter: FeedFilter;
  limit: number;
  /** Of content, or one change. */
  maxBytes: number;
}

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
  if (position.revision > head) throw ahead(position, head);
  // The change at the horizon has lost a side, so whoever asks for it is refused at once. Whether it is among those
  // of a prefix is known only when they are read.
  if (filter.keyPrefix === null && isBelowHorizon(position, horizon))
    throw positionExpired(horizon, head, filter);
  return head;
}

function ahead(position: Position, head: number): DiptychError {
  return new DiptychError(
    'revision-not-found',
    `The position is after revision ${position.revision}, and the head is ${head}.`,
    { extensions: { head } },
  );
}

/** What follows a position, in whole commits where they fit, and where to go on from. */
export async function readFeedPage(context: QueryContext, range: FeedRange): Promise<FeedPart> {
  if (range.filter.keyPrefix === null) return await readPart(context, range);
  return await readMatching(context, range);
}

/** How many changes are looked through by one statement, and by one page. */
const stride = { changes: 10_000, most: 50 };

/**
 * The same for changes that have to be looked for. Each stride ends with a commit, so that none is split, and a page
 * ends where something was found, or with nothing after so many strides that its reader should hear how far it is.
 */
async function readMatching(context: QueryContext, range: FeedRange): Promise<FeedPart> {
  const filter = { ...range.filter, keyPrefix: null };
  let { after } = range;
  for (let strides = 1; ; strides += 1) {
    const end = await findFeedRevision(context.db, { ...range, after, filter, distance: stride.changes });
    const part = await readPart(context, { ...range, after, upTo: end ?? range.upTo });
    if (part.changes.length > 0 || end === null || strides === stride.most) return part;
    after = part.next;
  }
}

async function readPart(context: QueryContext, range: FeedRange): Promise<FeedPart> {
  const { after, filter } = range;
  const positions = await listFeedPositions(context.db, { ...range, limit: range.limit + 1 });
  const cut = cutFeed(positions, range);
  if (cut === null) return { changes: [], next: { revision: range.upTo, ordinal: wholeCommit } };
  const rows = await listFeed(context.db, { after, upTo: cut.last, filter });
  // Retention may have come in between: what was read is whole only if it lies above the horizon of that moment.
  const horizon = rows[0]?.horizon ?? 0;
  const isLost = filter.keyPrefix === null ? isBelowHorizon(after, horizon) : rows.some(hasLostData);
  if (isLost) throw positionExpired(horizon, range.upTo, filter);
  const end = rows.length === positions.length ? { revision: range.upTo, ordinal: wholeCommit } : cut.next;
  return { changes: rows.map(toChange), next: end };
}

const hasLostData = (row: FeedRow) =>
  (row.before !== null && row.beforeContent === null) || (row.after !== null && row.afterContent === null);

function toChange({ before, beforeContent, after, afterContent, horizon, ...change }: FeedRow): FeedChange {
  return { ...change, before: toSide(before, beforeContent), after: toSide(after, afterContent) };
}

const toSide = (version: number | null, content: string | null): FeedSide | null =>
  version === null || content === null ? null : { version, content };
