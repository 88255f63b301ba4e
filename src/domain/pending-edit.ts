import { checkPrecondition, matchesStagedTag } from './entity-tag.js';
import { DiptychError } from './errors.js';
import { type PendingPatch, patchPendingContent } from './pending-patch.js';
import type { Precondition } from './precondition.js';
import type { StoredResolution } from './rebase.js';
import type { PendingOperation } from './record.js';
import { pendingNotFound, recordNotFound } from './refusals.js';
import type { Content } from './stage.js';

/** What a call does to one pending version. */
export type PendingEdit =
  | {
      type: 'stage';
      /** null: the deletion of the record. */
      content: Content | null;
      message: string | null;
      /** The version that the caller prepared its data from: it must be current (null: not live). */
      baseVersion: number | null | undefined;
    }
  | { type: 'patch'; patch: PendingPatch }
  | { type: 'discard' };

/** Where a pending version stands before an edit, under its record's lock. */
export interface PendingStand {
  /** Null where the record does not exist yet. */
  record: { revision: number | null; currentNumber: number | null; isLive: boolean } | null;
  pending: {
    operation: PendingOperation;
    message: string | null;
    resolutions: StoredResolution[];
    tag: string;
  } | null;
  /** Canonical JSON of what a patch starts from: what is pending, or what is current where nothing is. */
  base: string | null;
}

/** What the pending version shall hold; null: it shall not be there any more. */
export type DecidedEdit = {
  content: Content | null;
  message: string | null;
  /** Of the conflicts that were settled on the way to this content. */
  resolutions: StoredResolution[];
} | null;

/**
 * Decides what an edit makes of a pending version.
 *
 * @throws DiptychError for everything that stands against it
 */
export function decideEdit(
  request: { collection: string; key: string; precondition: Precondition; edit: PendingEdit },
  stand: PendingStand,
  limits: { maxRecordBytes: number },
): DecidedEdit {
  const { edit, precondition } = request;
  const { record, pending } = stand;
  if (edit.type === 'discard' && pending === null) throw pendingNotFound(request);
  checkPrecondition(precondition, pending?.tag ?? null, {
    what: 'pending version',
    required: edit.type !== 'patch',
    matches: matchesStagedTag,
  });
  switch (edit.type) {
    case 'discard':
      return null;
    case 'stage':
      requireBase(record?.currentNumber ?? null, edit.baseVersion);
      if (edit.content === null && !record?.isLive) throw recordNotFound(request, record?.revision ?? null);
      return { content: edit.content, message: edit.message, resolutions: [] };
    case 'patch': {
      if (pending === null && stand.base === null) throw pendingNotFound(request);
      const patched = patchPendingContent(edit.patch, { pending, base: stand.base }, limits);
      return { ...patched, resolutions: pending?.resolutions ?? [] };
    }
  }
}

function requireBase(currentVersion: number | null, baseVersion: number | null | undefined): void {
  if (baseVersion === undefined || baseVersion === currentVersion) return;
  throw new DiptychError('base-outdated', 'The record is not at the version that this was prepared from.', {
    extensions: { baseVersion, currentVersion },
    errors: [
      {
        pointer: '/baseVersion',
        code: 'base-outdated',
        message: `must be ${currentVersion ?? 'null'}, the current version`,
      },
    ],
  });
}
