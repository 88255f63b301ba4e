import type { JsonObject } from '../lib/json-value.js';
import type { TagCondition } from './precondition.js';
import type { Prepared } from './prepared.js';
import type { Receipt } from './receipt.js';
import type { PatchOperation } from './record.js';
import type { Content } from './stage.js';

/** What one member of a commit wants to happen to one record. */
export type Intent = PendingIntent | MemberIntent | ChangeIntent | RollbackIntent | RevertIntent;

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

/** Make the member of a changeset current. That its base still is, is judged for the changeset as a whole. */
export interface MemberIntent extends Address {
  type: 'member';
  changeset: string;
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
  ifVersion?: number | undefined;
  /** Where the change stands in the request, for failures: `/changes/3`. */
  pointer: string;
  /** Where its data stands; `data` beneath `pointer` otherwise. */
  dataPointer?: string;
  /** A deletion of what is not live is no change then, and is refused otherwise. */
  mayBeAbsent?: boolean;
  /** What a `put` stores, where that has been reckoned already; planning does it otherwise. */
  content?: Content;
} & Edit;

/** Move the pointer to an earlier version. */
export interface RollbackIntent extends Address {
  type: 'rollback';
  toVersion: number;
  /** Past today's schema and rules; unique values and references hold all the same. */
  force: boolean;
  ifMatch?: TagCondition;
}

/** Undo one change of an earlier commit. */
export interface RevertIntent extends Address {
  type: 'revert';
  /** The commit that is undone: the record must not have moved since. */
  revision: number;
  /** The version that the commit left current, which must still be so; null: not live. */
  fromVersion: number | null;
  /** The version to go back to; null: not live. */
  toVersion: number | null;
  /** As for a rollback. */
  force: boolean;
}

/** One commit, as the publish step takes it: all of it happens, or nothing. */
export interface CommitRequest {
  kind: 'commit' | 'rollback' | 'revert';
  author: string;
  message: string | null;
  /** Decide everything, write nothing. */
  dryRun: boolean;
  /** Planned and weighed under the head's lock. */
  intents: Intent[];
  /** Planned and weighed before, because it is large; null otherwise. */
  prepared: Prepared | null;
  /** The revision that is undone, for kind `revert`. */
  reverts: number | null;
  idempotency: { principal: string; key: string; fingerprint: Buffer } | null;
}
