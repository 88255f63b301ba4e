import { sha256 } from '../lib/digest.js';
import { webhookTag } from './entity-tag.js';
import { DiptychError } from './errors.js';
import { formatPosition, type Position, wholeCommit } from './feed-page.js';

/** Why nothing is sent: somebody paused it, the receiver said 410, or retention has overtaken the cursor. */
export type PauseReason = 'by-hand' | 'gone' | 'position-expired';

/** What went wrong with the last attempt. */
export interface DeliveryError {
  /** `status-500`, `timeout`, `private-address`, `connection`, … */
  code: string;
  message: string;
  status: number | null;
  /** When, in RFC 3339. */
  at: string;
}

/** Which changes an endpoint is told of. */
export interface WebhookFilter {
  /** Null: those of all collections. */
  collection: string | null;
  keyPrefix: string | null;
}

/** What a caller says of an endpoint. */
export interface WebhookContent extends WebhookFilter {
  url: string;
  description: string | null;
}

export interface StoredWebhook extends WebhookContent, Position {
  id: string;
  /** Counts endpoints, for lists. */
  number: number;
  createdBy: string;
  createdAt: Date;
  edit: number;
  paused: PauseReason | null;
  failures: number;
  nextAttemptAt: Date | null;
  lastError: DeliveryError | null;
  lastDeliveredAt: Date | null;
}

export interface WebhookView extends WebhookContent {
  id: string;
  state: 'active' | 'failing' | 'paused';
  /** Null unless it is paused. */
  pausedBecause: PauseReason | null;
  /** What follows this position is still to be sent. */
  position: string;
  /** Revisions of the store that it has not come to yet. */
  lag: number;
  failures: number;
  lastError: DeliveryError | null;
  nextAttemptAt: string | null;
  lastDeliveredAt: string | null;
  createdBy: string;
  createdAt: string;
}

/** An endpoint as its owner sees it, with its entity tag. Its secrets are elsewhere. */
export function toWebhookView(stored: StoredWebhook, head: number): { webhook: WebhookView; tag: string } {
  const { id, edit, revision, ordinal, paused, failures } = stored;
  const webhook: WebhookView = {
    id,
    url: stored.url,
    description: stored.description,
    collection: stored.collection,
    keyPrefix: stored.keyPrefix,
    state: paused !== null ? 'paused' : failures > 0 ? 'failing' : 'active',
    pausedBecause: paused,
    position: formatPosition({ revision, ordinal }),
    lag: Math.max(0, head - revision + (ordinal === wholeCommit ? 0 : 1)),
    failures,
    lastError: stored.lastError,
    nextAttemptAt: paused === null ? (stored.nextAttemptAt?.toISOString() ?? null) : null,
    lastDeliveredAt: stored.lastDeliveredAt?.toISOString() ?? null,
    createdBy: stored.createdBy,
    createdAt: stored.createdAt.toISOString(),
  };
  const derived = sha256(JSON.stringify(webhook)).toString('base64url').slice(0, 16);
  return { webhook, tag: webhookTag({ id, edit, derived }) };
}

export function webhookNotFound(id: string): DiptychError {
  return new DiptychError('webhook-not-found', `There is no webhook ${id}.`);
}
