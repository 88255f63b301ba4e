import { isJsonObject } from '../lib/json-object.js';
import type { JsonObject, JsonValue } from '../lib/json-value.js';
import { applyMergePatch } from '../lib/merge-patch.js';
import { DiptychError } from './errors.js';
import type { PatchOperation, PendingOperation } from './record.js';
import { type Content, patchDocument, requireObject, toContent } from './stage.js';

/** A patch of the pending representation: `{operation, data, message}`. */
export type PendingPatch =
  | { type: 'merge'; patch: JsonValue }
  | { type: 'json'; operations: PatchOperation[] };

const maxMessageLength = 4_096;

/**
 * Patches a pending version, or the current version where nothing is pending.
 *
 * @param from.base canonical JSON of the data of either
 * @throws DiptychError when the patch fails, or leaves no pending version
 */
export function patchPendingContent(
  patch: PendingPatch,
  from: { pending: { operation: PendingOperation; message: string | null } | null; base: string | null },
  { maxRecordBytes }: { maxRecordBytes: number },
): { content: Content | null; message: string | null } {
  const present: JsonObject = {
    operation: from.pending?.operation ?? 'upsert',
    ...(from.base === null ? {} : { data: JSON.parse(from.base) }),
    message: from.pending?.message ?? null,
  };
  const patched =
    patch.type === 'merge'
      ? applyMergePatch(present, patch.patch)
      : patchDocument(present, patch.operations, { maxRecordBytes, pointer: '' });
  return readRepresentation(patched, maxRecordBytes);
}

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
