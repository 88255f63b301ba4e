import type { JsonObject } from '../lib/json-value.js';
import type { StoredResolution } from './rebase.js';
import type { PendingOperation, PendingView } from './record.js';
import { type StoredValidation, tagOfPending, validationOf } from './validation-state.js';

/** A pending version as it is stored, with the record that it belongs to. */
export interface StoredPending {
  id: number;
  operation: PendingOperation;
  content: string | null;
  digest: Buffer | null;
  changesetId: string | null;
  baseVersionId: number | null;
  baseNumber: number | null;
  message: string | null;
  stagedBy: string[];
  stagedAt: Date;
  updatedAt: Date;
  edit: number;
  validation: StoredValidation | null;
  resolutions: StoredResolution[];
  collection: string;
  key: string;
  definitionId: number;
  currentVersionId: number | null;
  currentNumber: number | null;
}

/**
 * A pending version as its stagers see it, with its entity tag.
 *
 * @param data its content, where the caller has it parsed already
 */
export function toPendingView(
  stored: StoredPending,
  data: JsonObject | null = stored.content === null ? null : JSON.parse(stored.content),
): { pending: PendingView; tag: string } {
  const pending: PendingView = {
    collection: stored.collection,
    key: stored.key,
    changeset: stored.changesetId,
    operation: stored.operation,
    data,
    baseVersion: stored.baseNumber,
    currentVersion: stored.currentNumber,
    outdated: stored.baseVersionId !== stored.currentVersionId,
    digest: stored.digest?.toString('hex') ?? null,
    message: stored.message,
    stagedBy: stored.stagedBy,
    stagedAt: stored.stagedAt.toISOString(),
    updatedAt: stored.updatedAt.toISOString(),
    resolutions: stored.resolutions,
    validation: validationOf(stored, stored),
  };
  return { pending, tag: tagOfPending(stored, stored) };
}
