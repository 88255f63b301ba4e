import { createHash } from 'node:crypto';
import { canonicalJson } from '../lib/canonical-json.js';
import type { JsonValue } from '../lib/json-value.js';
import { sortInTurns } from '../lib/sort-in-turns.js';
import { Turns } from '../lib/turns.js';
import { changesetTag } from './entity-tag.js';
import type { Failure } from './failure.js';
import type { PendingOperation, PendingValidation } from './record.js';

export type ChangesetState = 'open' | 'scheduled' | 'committed' | 'discarded';

/** Who approved which content of a changeset. */
export interface Approval {
  approver: string;
  approvedAt: string;
  message: string | null;
  /** SHA-256 over the content of all members, in hexadecimal. */
  digest: string;
  /** False once the changeset was edited after it. */
  valid: boolean;
}

/** Why a schedule could not be carried out. */
export interface ScheduleRefusal {
  code: string;
  detail: string;
  errors: Failure[];
  /** When it was due, and when it was tried. */
  commitAt: string;
  at: string;
  /** How often; and when it will be tried again, null when it will not. */
  attempts: number;
  retryAt: string | null;
}

/** Pending versions that go live together, as their stagers see them. */
export interface ChangesetView {
  id: string;
  title: string;
  message: string | null;
  state: ChangesetState;
  createdBy: string;
  createdAt: string;
  /** Pending versions that it holds; once committed, the changes that it made. Null in a list: too many to count. */
  memberCount: number | null;
  validation: PendingValidation;
  /** The newest first; also those that an edit has voided. */
  approvals: Approval[];
  schedule: { commitAt: string; scheduledBy: string; scheduledAt: string } | null;
  refusal: ScheduleRefusal | null;
  closedBy: string | null;
  closedAt: string | null;
  /** The revision of its commit; null while it has none. */
  revision: number | null;
}

/** The outcome of the last validation of a changeset, and the edit that it was about. */
export interface ChangesetValidation {
  valid: boolean;
  errorCount: number;
  warningCount: number;
  revision: number;
  /** When, in RFC 3339. */
  at: string;
  edit: number;
  /** The definitions that it was judged by. */
  definitionIds: number[];
}

/** A changeset as it is stored. */
export interface StoredChangeset {
  id: string;
  title: string;
  message: string | null;
  state: ChangesetState;
  createdBy: string;
  createdAt: Date;
  ordinal: number;
  edit: number;
  memberCount: number;
  validation: ChangesetValidation | null;
  /** Whether all definitions of that validation are still in force; null without one. */
  definitionsHold: boolean | null;
  approvals: { approver: string; approvedAt: string; message: string | null; digest: string; edit: number }[];
  commitAt: Date | null;
  scheduledBy: string | null;
  scheduledAt: Date | null;
  refusal: ScheduleRefusal | null;
  closedBy: string | null;
  closedAt: Date | null;
  revision: number | null;
}

/** The same in a list, where members are counted only as far as they are few. */
export type ListedChangeset = Omit<StoredChangeset, 'memberCount'> & { memberCount: number | null };

/** A changeset as its stagers see it, with its entity tag. */
export function toChangesetView(stored: ListedChangeset): { changeset: ChangesetView; tag: string } {
  const { commitAt, scheduledBy, scheduledAt } = stored;
  const changeset: ChangesetView = {
    id: stored.id,
    title: stored.title,
    message: stored.message,
    state: stored.state,
    createdBy: stored.createdBy,
    createdAt: stored.createdAt.toISOString(),
    memberCount: stored.memberCount,
    validation: validationOf(stored),
    approvals: stored.approvals.map(({ edit, approvedAt, ...approval }) => ({
      ...approval,
      approvedAt: new Date(approvedAt).toISOString(),
      valid: edit === stored.edit,
    })),
    schedule:
      stored.state === 'scheduled' && commitAt && scheduledBy !== null && scheduledAt
        ? { commitAt: commitAt.toISOString(), scheduledBy, scheduledAt: scheduledAt.toISOString() }
        : null,
    refusal: stored.refusal,
    closedBy: stored.closedBy,
    closedAt: stored.closedAt?.toISOString() ?? null,
    revision: stored.revision,
  };
  const derived = createHash('sha256').update(JSON.stringify(changeset)).digest('base64url').slice(0, 16);
  return { changeset, tag: changesetTag({ id: stored.id, edit: stored.edit, derived }) };
}

function validationOf({ validation, edit, definitionsHold }: ListedChangeset): PendingValidation {
  if (validation === null) return { state: 'unknown' };
  const outcome = validation.valid ? 'valid' : 'invalid';
  return {
    state: validation.edit === edit && definitionsHold === true ? outcome : 'stale',
    validatedRevision: validation.revision,
    validatedAt: validation.at,
    errorCount: validation.errorCount,
    warningCount: validation.warningCount,
  };
}

/** A member, as far as the digest of its changeset is concerned. */
export interface MemberContent {
  collection: string;
  key: string;
  operation: PendingOperation;
  /** SHA-256 of the content; null for a deletion. */
  digest: string | null;
}

/**
 * What approvals are bound to: the SHA-256, in hexadecimal, of one line of canonical JSON for each member, by
 * collection and key, each ended by a line feed. It tells of the content alone, not of the order of staging.
 * Everybody else has turns meanwhile.
 */
export async function changesetDigest(members: MemberContent[]): Promise<string> {
  const hash = createHash('sha256');
  const turns = new Turns();
  for (const { collection, key, operation, digest } of await sortInTurns(members, compareMembers)) {
    hash.update(`${canonicalJson({ collection, key, operation, digest } satisfies JsonValue)}\n`);
    await turns.pause();
  }
  return hash.digest('hex');
}

/** The order of members in digests and in the log: by collection, then by key, in UTF-16 code units. */
export function compareMembers(
  a: { collection: string; key: string },
  b: { collection: string; key: string },
): number {
  if (a.collection !== b.collection) return a.collection < b.collection ? -1 : 1;
  return a.key < b.key ? -1 : Number(a.key > b.key);
}
