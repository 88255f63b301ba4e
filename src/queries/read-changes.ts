import type { ChangeView } from '../domain/commit.js';
import { DiptychError } from '../domain/errors.js';
import { cutFeed, formatPosition, type Position, parsePosition, wholeCommit } from '../domain/feed-page.js';
import { isBelowHorizon, positionExpired } from '../domain/horizon.js';
import { collectionNotFound } from '../domain/refusals.js';
import { findFeedState } from '../store/horizon.js';
import { type FeedRow, listFeed, listFeedPositions } from '../store/log.js';
import { findReadableCollection } from '../store/readers.js';
import type { QueryContext } from './context.js';

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
  const collectionId =
    input.collection === undefined ? null : await requireCollection(context, input.collection);
  for (;;) {
    const { head, horizon } = await findFeedState(context.db, collectionId);
    if (position.revision > head) throw ahead(position, head);
    if (isBelowHorizon(position, horizon)) throw positionExpired(horizon, head);
    const page = await readPage(context, { after: position, upTo: head, collectionId, limit: input.limit });
    if (page.changes.length > 0) return { ...page, next: formatPosition(page.next), head };
    position = page.next;
    const timeoutMs = deadline - performance.now();
    if ((await context.heads.waitAbove(head, { timeoutMs, signal: input.signal })) === undefined) {
      return { changes: [], next: formatPosition(position), head };
    }
  }
}

function readPosition(after: string | undefined): Position {
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

function ahead(position: Position, head: number): DiptychError {
  return new DiptychError(
    'revision-not-found',
    `The position is after revision ${position.revision}, and the head is ${head}.`,
    {
      extensions: { head },
    },
  );
}

async function requireCollection(context: QueryContext, name: string): Promise<number> {
  const found = await findReadableCollection(context.db, name);
  if (found === null) throw collectionNotFound(name);
  return found.id;
}

async function readPage(
  context: QueryContext,
  range: { after: Position; upTo: number; collectionId: number | null; limit: number },
): Promise<{ changes: ChangeView[]; next: Position }> {
  const positions = await listFeedPositions(context.db, { ...range, limit: range.limit + 1 });
  const cut = cutFeed(positions, { limit: range.limit, maxBytes });
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
