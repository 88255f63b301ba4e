import type { JsonObject } from '../lib/json-value.js';
import type { TagCondition } from './precondition.js';
import type { Receipt } from './receipt.js';
import type { PatchOperation } from './record.js';

/** What one member of a commit wants to happen to one record. */
export type Intent = PendingIntent | ChangeIntent | RollbackIntent;

interface Address {
  collection: string;
  key: string;
}

/** Make the pending version current. `ifMatch` or `receipt` says what the caller has seen of it. */
export interface PendingIntent extends Address {
  type: 'pending';
  /** The changeset that holds it; null outside of changesets. */
  changeset: string | null;
  ifMatch?: TagCondition;
  receipt?: Receipt;
}

/** What a change of `POST /v1/commits` does to its record. */
export type Edit =
  | { operation: 'put'; data: JsonObject }
  | { operation: 'merge'; patch: JsonObject }
  | { operation: 'patch'; patch: PatchOperation[] }
  | { operation: 'delete' };

/** Stage and commit in one go. */
export type ChangeIntent = Address & {
  type: 'change';
  /** The number that the current version must have; 0: the record must not be live. */
  ifVersion?: number;
  /** Where the change stands in the request, for failures: `/changes/3`. */
  pointer: string;
} & Edit;

/** Move the pointer to an earlier version. */
export interface RollbackIntent extends Address {
  type: 'rollback';
  toVersion: number;
  /** Past today's schema and rules; unique values and references hold all the same. */
  force: boolean;
  ifMatch?: TagCondition;
}

/** One commit, as the publish step takes it: all its intents happen, or none. */
export interface CommitRequest {
  kind: 'commit' | 'rollback';
  author: string;
  message: string | null;
  /** Decide everything, write nothing. */
  dryRun: boolean;
  intents: Intent[];
  idempotency: { principal: string; key: string; fingerprint: Buffer } | null;
}
