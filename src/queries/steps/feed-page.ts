import type { ChangeView } from '../../domain/commit.js';
import { DiptychError } from '../../domain/errors.js';
import { cutFeed, type Position, parsePosition, wholeCommit } from '../../domain/feed-page.js';
import { isBelowHorizon, positionExpired } from '../../domain/horizon.js';
import { collectionNotFound } from '../../domain/refusals.js';
import { findFeedState } from '../../store/horizon.js';
import { type FeedRow, listFeed, listFeedPositions } from '../../store/log.js';
import { findReadableCollection } from '../../store/readers.js';
import type { QueryContext } from '../context.js';

/** Which part of the feed a page is read from. */
export interface FeedRange {
  after: Position;
  /** A revision that there is. */
  upTo: number;
  collectionId: number | null;
  limit: number;
  /** Of content, or one change. */
  maxBytes: number;
}

/** @throws DiptychError `invalid-request` */
export function readPosition(after: string | undefined): Position {
  const position = parsePosition(after ?? '0');
  if (position) return position;
  throw new DiptychError(
    'invalid-request',
    'The position is neither a revision nor `next` of an earlier page.',
    {
      errors: [
        {
          in: 'query',
          pointer: '/after',
          code: 'position',
          message: 'must be a revision, or `next` of an earlier page',
        },
      ],
    },
  );
}

/** The id of the collection that is asked for, null for all. @throws DiptychError `collection-not-found` */
export async function readFeedCollection(
  context: QueryContext,
  name: string | undefined,
): Promise<number | null> {
  if (name === undefined) return null;
  const found = await findReadableCollection(context.db, name);
  if (found === null) throw collectionNotFound(name);
  return found.id;
}

/**
 * The head, once it is known that the feed can be read on from a position.
 *
 * @throws DiptychError `revision-not-found` above the head, `position-expired` below the horizon
 */
export async function requireReadable(
  context: QueryContext,
  position: Position,
  collectionId: number | null,
): Promise<number> {
  const { head, horizon } = await findFeedState(context.db, collectionId);
  if (position.revision > head) throw ahead(position, head);
  if (isBelowHorizon(position, horizon)) throw positionExpired(horizon, head);
  return head;
}

function ahead(position: Position, head: number): DiptychError {
  return new DiptychError(
    'revision-not-found',
    `The position is after revision ${position.revision}, and the head is ${head}.`,
    {
      extensions: { head },
    },
  );
}

/** What follows a position, in whole commits where they fit, and where to go on from. */
export async function readFeedPage(
  context: QueryContext,
  range: FeedRange,
): Promise<{ changes: ChangeView[]; next: Position }> {
  const positions = await listFeedPositions(context.db, { ...range, limit: range.limit + 1 });
  const cut = cutFeed(positions, range);
  if (cut === null) return { changes: [], next: { revision: range.upTo, ordinal: wholeCommit } };
  const rows = await listFeed(context.db, {
    after: range.after,
    upTo: cut.last,
    collectionId: range.collectionId,
  });
  // Retention may have come in between: what was read is whole only if it lies above the horizon of that moment.
  const horizon = rows[0]?.horizon ?? 0;
  if (isBelowHorizon(range.after, horizon)) throw positionExpired(horizon, range.upTo);
  const end = rows.length === positions.length ? { revision: range.upTo, ordinal: wholeCommit } : cut.next;
  return { changes: rows.map(toChange), next: end };
}

function toChange(row: FeedRow): ChangeView {
  const side = (version: number | null, content: string | null) =>
    version === null || content === null ? null : { version, data: JSON.parse(content) };
  return {
    revision: row.revision,
    ordinal: row.ordinal,
    operation: row.operation,
    collection: row.collection,
    key: row.key,
    before: side(row.before, row.beforeContent),
    after: side(row.after, row.afterContent),
    committedAt: row.committedAt.toISOString(),
    author: row.author,
    message: row.message,
  };
}
