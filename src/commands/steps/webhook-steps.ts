import { checkPrecondition, matchesStagedTag } from '../../domain/entity-tag.js';
import { DiptychError } from '../../domain/errors.js';
import type { FeedFilter } from '../../domain/feed-change.js';
import { type Position, wholeCommit } from '../../domain/feed-page.js';
import { isBelowHorizon, positionExpired } from '../../domain/horizon.js';
import type { Precondition } from '../../domain/precondition.js';
import { collectionNotFound } from '../../domain/refusals.js';
import {
  type StoredWebhook,
  toWebhookView,
  type WebhookFilter,
  type WebhookView,
  webhookNotFound,
} from '../../domain/webhook.js';
import { type Db, type Tx, withTransaction } from '../../store/db.js';
import { findHead } from '../../store/head.js';
import { findFeedState } from '../../store/horizon.js';
import { findReadableCollection } from '../../store/readers.js';
import { findWebhook, lockWebhook } from '../../store/webhooks.js';

/** An endpoint as a call left it. */
export interface WebhookAnswer {
  webhook: WebhookView;
  tag: string;
  revision: number;
}

/** Which endpoint is meant, and what the caller saw of it. */
export interface WebhookCall {
  id: string;
  precondition: Precondition;
}

/**
 * Does something with an endpoint under its lock.
 *
 * @param options.required whether the caller has to say what it saw
 * @throws DiptychError `webhook-not-found`, or what a precondition that fails gives
 */
export function changeWebhook<T>(
  db: Db,
  call: WebhookCall,
  change: (tx: Tx, webhook: StoredWebhook) => Promise<T>,
  options: { required: boolean } = { required: false },
): Promise<WebhookAnswer & { result: T }> {
  return withTransaction(db, async (tx) => {
    const stored = await requireWebhook(tx, call, options);
    const result = await change(tx, stored);
    return { ...(await readBack(tx, call.id)), result };
  });
}

/** Locks an endpoint. @throws DiptychError as `changeWebhook` does */
export async function requireWebhook(
  tx: Tx,
  { id, precondition }: WebhookCall,
  { required }: { required: boolean },
): Promise<StoredWebhook> {
  const stored = await lockWebhook(tx, id);
  if (stored === null) throw webhookNotFound(id);
  const { revision: head } = await findHead(tx);
  const { tag } = toWebhookView(stored, head);
  checkPrecondition(precondition, tag, { what: 'webhook', required, matches: matchesStagedTag });
  return stored;
}

/** The answer of a call: the endpoint as it is at its end. */
export async function readBack(tx: Tx, id: string): Promise<WebhookAnswer> {
  const stored = await findWebhook(tx, id);
  if (stored === null) throw new Error('a webhook that was just written is not there');
  const { revision } = await findHead(tx);
  return { ...toWebhookView(stored, revision), revision };
}

/** What an endpoint is told of. @throws DiptychError `collection-not-found` */
export async function requireFilter(tx: Tx, { collection, keyPrefix }: WebhookFilter): Promise<FeedFilter> {
  if (collection === null) return { collectionId: null, collection, keyPrefix };
  const found = await findReadableCollection(tx, collection);
  if (found === null) throw collectionNotFound(collection);
  return { collectionId: found.id, collection, keyPrefix };
}

/**
 * The position after a whole commit, or after the newest one if none is named.
 *
 * @throws DiptychError `revision-not-found` beyond the head, `position-expired` below the horizon
 */
export async function positionAfter(
  tx: Tx,
  after: number | undefined,
  filter: FeedFilter,
): Promise<Position> {
  const { head } = await findFeedState(tx, filter.collectionId);
  if (after === undefined) return { revision: head, ordinal: wholeCommit };
  if (after > head)
    throw new DiptychError('revision-not-found', `There is no revision ${after} yet: the head is ${head}.`, {
      errors: [{ pointer: '/after', code: 'revision-not-found', message: `Must be at most ${head}.` }],
      extensions: { head },
    });
  const position = { revision: after, ordinal: wholeCommit };
  await requireRetained(tx, position, filter);
  return position;
}

/** @throws DiptychError `position-expired` where retention has removed data of what follows */
export async function requireRetained(tx: Tx, position: Position, filter: FeedFilter): Promise<void> {
  const { head, horizon } = await findFeedState(tx, filter.collectionId);
  // Of a prefix it is known only when its changes are read.
  if (filter.keyPrefix === null && isBelowHorizon(position, horizon))
    throw positionExpired(horizon, head, filter);
}
