import { canonicalJson } from '../lib/canonical-json.js';
import { sha256Hex } from '../lib/digest.js';
import { findUnstorable } from '../lib/exact-json.js';
import { applyJsonPatch } from '../lib/json-patch.js';
import type { JsonObject, JsonValue } from '../lib/json-value.js';
import { applyMergePatch } from '../lib/merge-patch.js';
import { DiptychError } from './errors.js';
import type { Edit } from './intent.js';
import type { PatchOperation } from './record.js';

/** `data` nests at most this deep. */
export const maxDataDepth = 64;

/** Content as it is stored: the canonical JSON, its value and its SHA-256 in hexadecimal. */
export interface Content {
  content: string;
  data: JsonObject;
  digest: string;
}

/**
 * Makes storable content of `data`.
 *
 * @param pointer where `data` stands in the request
 * @throws DiptychError `unstorable-data`, or `record-too-large` beyond `maxRecordBytes` of canonical JSON
 */
export function toContent(data: JsonObject, options: { maxRecordBytes: number; pointer: string }): Content {
  const failures = findUnstorable(data, { maxDepth: maxDataDepth });
  if (failures.length > 0) {
    throw new DiptychError('unstorable-data', 'The data cannot be stored exactly as it is.', {
      errors: failures.map((failure) => ({ ...failure, pointer: options.pointer + failure.pointer })),
    });
  }
  const content = canonicalJson(data);
  const bytes = Buffer.byteLength(content);
  if (bytes > options.maxRecordBytes) {
    throw new DiptychError(
      'record-too-large',
      `The data has ${bytes} bytes; at most ${options.maxRecordBytes} are allowed.`,
      {
        errors: [
          {
            pointer: options.pointer,
            code: 'record-too-large',
            message: `must be at most ${options.maxRecordBytes} bytes, is ${bytes}`,
          },
        ],
      },
    );
  }
  return { content, data, digest: sha256Hex(content) };
}

/** The content after an edit of the current data. */
export function editContent(
  current: JsonObject | undefined,
  edit: Exclude<Edit, { operation: 'delete' }>,
  options: { maxRecordBytes: number; pointer: string },
): Content {
  switch (edit.operation) {
    case 'put':
      return toContent(edit.data, options);
    case 'merge':
      return toContent(requireObject(applyMergePatch(current, edit.patch), options.pointer), options);
    case 'patch':
      return toContent(
        requireObject(patchDocument(current ?? {}, edit.patch, options), options.pointer),
        options,
      );
  }
}

/**
 * Applies a JSON Patch.
 *
 * @throws DiptychError `patch-test-failed` or `patch-impossible`, naming the operation
 */
export function patchDocument(
  document: JsonValue,
  operations: PatchOperation[],
  options: { maxRecordBytes: number; pointer: string },
): JsonValue {
  const outcome = applyJsonPatch(document, operations, { maxBytes: 2 * options.maxRecordBytes });
  if ('document' in outcome) return outcome.document;
  const code = outcome.failed === 'test' ? 'patch-test-failed' : 'patch-impossible';
  throw new DiptychError(code, `Operation ${outcome.index} of the patch failed: ${outcome.message}.`, {
    errors: [{ pointer: `${options.pointer}/${outcome.index}`, code, message: outcome.message }],
  });
}

/** @throws DiptychError `patch-impossible` when a patch left something that is no object */
export function requireObject(value: JsonValue | undefined, pointer: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new DiptychError('patch-impossible', 'The patch leaves no JSON object as data.', {
    errors: [{ pointer, code: 'patch-impossible', message: 'must leave `data` a JSON object' }],
  });
}
