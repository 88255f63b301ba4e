import type { Actor } from '../domain/actor.js';
import type { Precondition } from '../domain/precondition.js';
import { toContent } from '../domain/stage.js';
import type { JsonObject } from '../lib/json-value.js';
import type { Context } from './context.js';
import type { PendingAddress, StagedAnswer } from './steps/lock-pending.js';

export interface StagePendingInput extends PendingAddress {
  staged: { operation: 'upsert'; data: JsonObject } | { operation: 'delete' };
  message?: string | null | undefined;
  /** The version that the caller prepared its data from: it must be current (null: not live). */
  baseVersion?: number | null | undefined;
  precondition: Precondition;
  actor: Actor;
}

/** Prepares the next state of a record, whole. What is there already is replaced only with `If-Match`. */
export async function stagePending(context: Context, input: StagePendingInput): Promise<StagedAnswer> {
  const { collection, key, changeset, staged, message = null, baseVersion, precondition, actor } = input;
  const { maxRecordBytes } = context.limits;
  const content =
    staged.operation === 'delete' ? null : toContent(staged.data, { maxRecordBytes, pointer: '/data' });
  return await context.staging.stage({
    collection,
    key,
    changeset,
    precondition,
    author: actor.name,
    edit: { type: 'stage', content, message, baseVersion },
  });
}
