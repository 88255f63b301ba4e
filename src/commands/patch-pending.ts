import type { Actor } from '../domain/actor.js';
import type { PendingPatch } from '../domain/pending-patch.js';
import type { Precondition } from '../domain/precondition.js';
import type { Context } from './context.js';
import type { PendingAddress, StagedAnswer } from './steps/lock-pending.js';

export interface PatchPendingInput extends PendingAddress {
  patch: PendingPatch;
  precondition: Precondition;
  actor: Actor;
}

/** Edits the pending version, or starts one from the current version. Edits add up, one after the other. */
export async function patchPending(context: Context, input: PatchPendingInput): Promise<StagedAnswer> {
  const { collection, key, changeset, patch, precondition, actor } = input;
  const edit = { type: 'patch' as const, patch };
  return await context.staging.stage({ collection, key, changeset, precondition, author: actor.name, edit });
}
