import type { Actor } from '../domain/actor.js';
import { checkPrecondition, matchesStagedTag } from '../domain/entity-tag.js';
import { DiptychError } from '../domain/errors.js';
import type { Precondition } from '../domain/precondition.js';
import type { PatchOperation } from '../domain/record.js';
import { pendingNotFound } from '../domain/refusals.js';
import { type Content, patchDocument, requireObject, toContent } from '../domain/stage.js';
import { isJsonObject } from '../lib/json-object.js';
import type { JsonObject, JsonValue } from '../lib/json-value.js';
import { applyMergePatch } from '../lib/merge-patch.js';
import { withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';
import {
  type LockedPending,
  lockPending,
  type PendingAddress,
  type StagedAnswer,
  viewPending,
} from './steps/lock-pending.js';
import { writePending } from './steps/write-pending.js';

export interface PatchPendingInput extends PendingAddress {
  /** On the pending representation: `{operation, data, message}`. */
  patch: { type: 'merge'; patch: JsonValue } | { type: 'json'; operations: PatchOperation[] };
  precondition: Precondition;
  actor: Actor;
}

/** Edits the pending version, or starts one from the current version. Edits add up, one after the other. */
export async function patchPending(context: Context, input: PatchPendingInput): Promise<StagedAnswer> {
  const { patch, precondition, actor } = input;
  const { maxRecordBytes } = context.limits;
  return await withTransaction(context.db, async (tx) => {
    const locked = await lockPending(tx, input);
    checkPrecondition(precondition, locked?.tag ?? null, {
      what: 'pending version',
      required: false,
      matches: matchesStagedTag,
    });
    const present = locked && representationOf(locked);
    if (locked === null || present === null) throw pendingNotFound(input);
    const patched =
      patch.type === 'merge'
        ? applyMergePatch(present, patch.patch)
        : patchDocument(present, patch.operations, { maxRecordBytes, pointer: '' });
    const staged = readRepresentation(patched, maxRecordBytes);
    const resolutions = locked.stored?.resolutions ?? [];
    await writePending(tx, input, locked, { ...staged, author: actor.name, resolutions });
    const { revision } = await findHead(tx);
    return { created: locked.stored === null, ...(await viewPending(tx, input, locked)), revision };
  });
}

/** What the patch applies to; null when there is neither a pending nor a current version to start from. */
function representationOf({ stored, record }: LockedPending): JsonObject | null {
  const content = stored === null ? record.currentContent : stored.content;
  if (stored === null && content === null) return null;
  return {
    operation: stored?.operation ?? 'upsert',
    ...(content === null ? {} : { data: JSON.parse(content) }),
    message: stored?.message ?? null,
  };
}

const maxMessageLength = 4_096;

/** @throws DiptychError `patch-impossible` when a patch left no pending version */
function readRepresentation(
  value: JsonValue,
  maxRecordBytes: number,
): { content: Content | null; message: string | null } {
  const { operation, data, message = null, ...others } = requireObject(value, '');
  const errors = Object.keys(others).map((member) => ({
    pointer: `/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    code: 'read-only',
    message: 'cannot be patched: only operation, data and message can',
  }));
  if (operation !== 'upsert' && operation !== 'delete') {
    errors.push({ pointer: '/operation', code: 'operation', message: 'must be "upsert" or "delete"' });
  }
  if (message !== null && (typeof message !== 'string' || message.length > maxMessageLength)) {
    errors.push({
      pointer: '/message',
      code: 'message',
      message: `must be text of at most ${maxMessageLength} characters, or null`,
    });
  }
  const object = isJsonObject(data) ? data : null;
  if (operation === 'upsert' && object === null) {
    errors.push({ pointer: '/data', code: 'data', message: 'must be a JSON object' });
  }
  if (errors.length > 0) {
    throw new DiptychError('patch-impossible', 'The patch leaves no valid pending version.', { errors });
  }
  return {
    content:
      operation === 'delete' || object === null
        ? null
        : toContent(object, { maxRecordBytes, pointer: '/data' }),
    message: typeof message === 'string' ? message : null,
  };
}
