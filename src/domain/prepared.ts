import type { DiptychError } from './errors.js';
import type { Move } from './move.js';
import type { TagCondition } from './precondition.js';
import type { ChangesetReceipt } from './receipt.js';

/**
 * A commit of many members, planned and weighed on a snapshot: the head's lock is not held meanwhile. Under the
 * lock it is confirmed that what it rests on still holds, which costs little.
 */
export interface Prepared {
  /** The head of the snapshot. */
  revision: number;
  /** By collection and key. */
  moves: Move[];
  /** Digest of the moves as the log will tell them; null once one of their numbers is another. */
  changesDigest: string | null;
  /** Members that equal what is current. */
  unchanged: UnchangedMember[];
  /** What stood against it on the snapshot already. */
  refusals: DiptychError[];
  /** Definitions by the names of their collections. */
  definitions: Map<string, { definitionId: number; number: number }>;
  /** The changeset whose members these are; null for a revert. */
  changeset: PreparedChangeset | null;
}

export interface UnchangedMember {
  pendingId: number;
  recordId: number;
  currentVersionId: number | null;
  collection: string;
  key: string;
}

export interface PreparedChangeset {
  id: string;
  /** The edit that was read. */
  edit: number;
  /** SHA-256 over the content of all members, in hexadecimal: what approvals are bound to. */
  digest: string;
  /** What the caller says it saw, or the moment of the schedule that is carried out. */
  seen: { ifMatch?: TagCondition; receipt?: ChangesetReceipt } | { commitAt: Date };
}
