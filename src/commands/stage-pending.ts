import type { Actor } from '../domain/actor.js';
import { checkPrecondition, matchesStagedTag } from '../domain/entity-tag.js';
import { DiptychError } from '../domain/errors.js';
import type { Precondition } from '../domain/precondition.js';
import { recordNotFound } from '../domain/refusals.js';
import { toContent } from '../domain/stage.js';
import type { JsonObject } from '../lib/json-value.js';
import { withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';
import {
  type LockedPending,
  lockOrCreatePending,
  type PendingAddress,
  type StagedAnswer,
  viewPending,
} from './steps/lock-pending.js';
import { writePending } from './steps/write-pending.js';

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
  const { staged, precondition, actor } = input;
  const content =
    staged.operation === 'delete'
      ? null
      : toContent(staged.data, { maxRecordBytes: context.limits.maxRecordBytes, pointer: '/data' });
  return await withTransaction(context.db, async (tx) => {
    const locked = await lockOrCreatePending(tx, input);
    checkPrecondition(precondition, locked.tag, {
      what: 'pending version',
      required: true,
      matches: matchesStagedTag,
    });
    requireBase(locked, input.baseVersion);
    if (content === null && locked.record.currentVersionId === null)
      throw recordNotFound(input, locked.record.revision);
    await writePending(tx, input, locked, {
      content,
      message: input.message ?? null,
      author: actor.name,
      resolutions: [],
    });
    const { revision } = await findHead(tx);
    return { created: locked.stored === null, ...(await viewPending(tx, input, locked)), revision };
  });
}

function requireBase({ record }: LockedPending, baseVersion: number | null | undefined): void {
  if (baseVersion === undefined || baseVersion === record.currentNumber) return;
  throw new DiptychError('base-outdated', 'The record is not at the version that this was prepared from.', {
    extensions: { baseVersion, currentVersion: record.currentNumber },
    errors: [
      {
        pointer: '/baseVersion',
        code: 'base-outdated',
        message: `must be ${record.currentNumber ?? 'null'}, the current version`,
      },
    ],
  });
}
