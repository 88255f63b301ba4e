import type { JsonObject } from '../lib/json-value.js';
import type { CompiledDefinition } from './definition/compile.js';
import { matchesStagedTag, matchesTag } from './entity-tag.js';
import { DiptychError } from './errors.js';
import type {
  ChangeIntent,
  Intent,
  MemberIntent,
  PendingIntent,
  RevertIntent,
  RollbackIntent,
} from './intent.js';
import type { ChangeOperation, PendingOperation } from './record.js';
import {
  pendingNotFound,
  preconditionFailed,
  receiptStale,
  recordNotFound,
  revertConflict,
  revertFailure,
  versionNotFound,
} from './refusals.js';
import { type Content, editContent } from './stage.js';

/** A committed state of a record. */
export interface State {
  versionId: number;
  number: number;
  /** Parsed when it is first asked for: most commits do not look at what they replace. */
  readonly data: JsonObject;
  /** Digest of the canonical content, in hexadecimal. */
  digest: string;
}

/** A collection with the definition in force, compiled. */
export interface FoundCollection {
  id: number;
  name: string;
  definitionId: number;
  /** Counts the definitions of the collection. */
  definitionNumber: number;
  definition: CompiledDefinition;
}

/** What was found, under lock or on a snapshot, for one intent. */
export interface Found {
  collection: FoundCollection;
  record: { id: number; revision: number | null; lastNumber: number } | null;
  /** The current version; null when the record is not live. */
  current: State | null;
  pending: {
    id: number;
    edit: number;
    operation: PendingOperation;
    content: { text: string; data: JsonObject; digest: string } | null;
    baseVersionId: number | null;
    baseNumber: number | null;
    message: string | null;
    /** Its entity tag at this moment. */
    tag: string;
  } | null;
  /** The entity tag of the record as readers see it; null when it is not live. */
  tag: string | null;
  /** The committed version that a rollback names; null when there is none of that number. */
  target: State | null;
}

/** Where the state after the commit comes from. */
export type After = { data: JsonObject; digest: string } & AfterSource;

export type AfterSource =
  /** With its content where that is at hand. */
  | { source: 'pending'; versionId: number; content?: string }
  | { source: 'new'; content: string }
  | { source: 'existing'; versionId: number; number: number };

/** One record's move, decided but not yet judged: it still holds both states whole. */
export interface PlannedMove {
  collection: Found['collection'];
  key: string;
  recordId: number | null;
  /** The highest version number of the record so far. */
  lastNumber: number;
  operation: ChangeOperation;
  before: State | null;
  after: After | null;
  /** The pending version that this commit uses up without keeping it as a version. */
  consumedPendingId: number | null;
  /** Message of the pending version, for a commit that has none. */
  message: string | null;
  /** Where `data` stands in the request or the pending version, for failures. */
  pointer: string;
  forced: boolean;
  /** What a receipt proved, if the caller brought one that still holds so far. */
  validated: boolean;
}

/** A move, or nothing to do because the record is already there. */
export type Planned = { move: PlannedMove } | { unchanged: true; consumedPendingId: number | null };

/**
 * Decides what one intent does to its record: pure, on what was loaded under lock.
 *
 * @throws DiptychError for everything that stands against it but its validity
 */
export function planIntent(intent: Intent, found: Found, limits: { maxRecordBytes: number }): Planned {
  switch (intent.type) {
    case 'pending':
      return planPending(intent, found);
    case 'member':
      if (found.pending === null) throw pendingNotFound(intent);
      return moveToPending(intent, found, found.pending);
    case 'change':
      return planChange(intent, found, limits);
    case 'rollback':
      return planRollback(intent, found);
    case 'revert':
      return planRevert(intent, found);
  }
}

function planPending(intent: PendingIntent, found: Found): Planned {
  const { pending, current } = found;
  if (pending === null) throw pendingNotFound(intent);
  if (intent.ifMatch && !matchesStagedTag(intent.ifMatch, pending.tag)) {
    throw preconditionFailed('pending version', pending.tag);
  }
  const { receipt } = intent;
  if (receipt && (receipt.pendingId !== pending.id || receipt.edit !== pending.edit)) {
    throw receiptStale(['content'], 'The pending version was edited after that validation.', pending.tag);
  }
  if (pending.baseVersionId !== (current?.versionId ?? null)) {
    throw new DiptychError(
      'base-outdated',
      `The pending version was started from ${versionName(pending.baseNumber)}, and the record is at ${versionName(current?.number ?? null)} now.`,
      {
        extensions: {
          baseVersion: pending.baseNumber,
          currentVersion: current?.number ?? null,
          rebase: `/v1/collections/${intent.collection}/records/${encodeURIComponent(intent.key)}/pending/rebase`,
        },
      },
    );
  }
  if (receipt) {
    const changed: ('definition' | 'current')[] = [];
    if (receipt.definitionId !== found.collection.definitionId) changed.push('definition');
    if (receipt.currentVersionId !== (current?.versionId ?? 0)) changed.push('current');
    if (changed.length > 0)
      throw receiptStale(changed, 'What it was validated against has changed since.', pending.tag);
  }
  return moveToPending(intent, found, pending);
}

/** What committing the pending version would do, whatever else stands against it. */
export function moveToPending(
  intent: PendingIntent | MemberIntent,
  found: Found,
  pending: NonNullable<Found['pending']>,
): Planned {
  const { current } = found;
  const move = {
    ...moveFrom(intent, found),
    message: pending.message,
    validated: intent.type === 'pending' && intent.receipt !== undefined,
  };
  if (pending.content === null) {
    if (current === null) return { unchanged: true, consumedPendingId: pending.id };
    return { move: { ...move, operation: 'delete', after: null, consumedPendingId: pending.id } };
  }
  if (current !== null && current.digest === pending.content.digest)
    return { unchanged: true, consumedPendingId: pending.id };
  const { data, digest, text } = pending.content;
  // Of a changeset, which may have a hundred thousand members, nothing is held that large.
  const content = intent.type === 'pending' ? { content: text } : {};
  return {
    move: {
      ...move,
      operation: current === null ? 'create' : 'update',
      after: { source: 'pending', versionId: pending.id, data, digest, ...content },
    },
  };
}

function planChange(intent: ChangeIntent, found: Found, limits: { maxRecordBytes: number }): Planned {
  const { current } = found;
  const present = current?.number ?? 0;
  if (intent.ifVersion !== undefined && intent.ifVersion !== present) {
    const expected = intent.ifVersion === 0 ? 'no live record' : `version ${intent.ifVersion}`;
    throw new DiptychError(
      'version-conflict',
      `The change expects ${expected}, and ${versionName(current?.number ?? null)} is current.`,
      {
        errors: [
          {
            pointer: `${intent.pointer}/ifVersion`,
            code: 'version-conflict',
            message: `expects ${expected}, but ${versionName(current?.number ?? null)} is current`,
          },
        ],
      },
    );
  }
  if (intent.operation === 'delete' && current === null && intent.mayBeAbsent)
    return { unchanged: true, consumedPendingId: null };
  if (intent.operation !== 'put' && current === null)
    throw recordNotFound(intent, found.record?.revision ?? null);
  const move = { ...moveFrom(intent, found), pointer: intent.dataPointer ?? `${intent.pointer}/data` };
  if (intent.operation === 'delete') return { move: { ...move, operation: 'delete', after: null } };
  const { data, content, digest } = contentAfter(intent, current, limits);
  if (current !== null && current.digest === digest) return { unchanged: true, consumedPendingId: null };
  return {
    move: {
      ...move,
      operation: current === null ? 'create' : 'update',
      after: { source: 'new', content, data, digest },
    },
  };
}

function contentAfter(
  intent: Exclude<ChangeIntent, { operation: 'delete' }>,
  current: State | null,
  { maxRecordBytes }: { maxRecordBytes: number },
): Content {
  if (intent.operation === 'put')
    return (
      intent.content ?? editContent(undefined, intent, { maxRecordBytes, pointer: `${intent.pointer}/data` })
    );
  return editContent(current?.data, intent, { maxRecordBytes, pointer: `${intent.pointer}/patch` });
}

function planRollback(intent: RollbackIntent, found: Found): Planned {
  const { current, target } = found;
  if (found.record === null || found.record.revision === null) throw recordNotFound(intent, null);
  if (intent.ifMatch && (found.tag === null || !matchesTag(intent.ifMatch, found.tag))) {
    throw new DiptychError(
      'precondition-failed',
      `The record is not what If-Match names: it is ${found.tag ?? 'deleted'} now.`,
      {
        extensions: found.tag === null ? {} : { etag: found.tag },
      },
    );
  }
  if (target === null) throw versionNotFound(intent, intent.toVersion);
  if (target.versionId === current?.versionId) {
    throw new DiptychError('already-current', `Version ${target.number} is the current version.`);
  }
  return {
    move: {
      ...moveFrom(intent, found),
      operation: current === null ? 'create' : 'update',
      after: { source: 'existing', ...target },
      forced: intent.force,
    },
  };
}

function planRevert(intent: RevertIntent, found: Found): Planned {
  const { current, target } = found;
  // Also where it moved and came back.
  if (found.record?.revision !== intent.revision)
    throw revertConflict([revertFailure(intent, current?.number ?? null)]);
  const move = { ...moveFrom(intent, found), forced: intent.force };
  if (intent.toVersion === null) return { move: { ...move, operation: 'delete', after: null } };
  if (target === null) throw versionNotFound(intent, intent.toVersion);
  return {
    move: {
      ...move,
      operation: current === null ? 'create' : 'update',
      after: { source: 'existing', ...target },
    },
  };
}

function moveFrom(intent: Intent, found: Found): Omit<PlannedMove, 'operation' | 'after'> {
  return {
    collection: found.collection,
    key: intent.key,
    recordId: found.record?.id ?? null,
    lastNumber: found.record?.lastNumber ?? 0,
    before: found.current,
    consumedPendingId: null,
    message: null,
    pointer: '/data',
    forced: false,
    validated: false,
  };
}

const versionName = (number: number | null) => (number === null ? 'no live version' : `version ${number}`);
