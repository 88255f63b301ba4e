import { isJsonObject } from './json-object.js';
import type { JsonPatchOperation } from './json-patch.js';
import { formatPointer } from './json-pointer.js';
import type { JsonObject, JsonValue } from './json-value.js';

export interface JsonChange {
  pointer: string;
  /** Absent where the value did not exist before. */
  before?: JsonValue;
  /** Absent where the value exists no more. */
  after?: JsonValue;
}

export interface JsonDiff {
  changes: JsonChange[];
  /** Applied to `before`, it gives `after`: one operation for each change, in the same order. */
  patch: JsonPatchOperation[];
}

/**
 * The difference between two JSON values, in linear time: members by name, sorted; arrays index by index,
 * then what the longer one has at its end (removed from the last backwards, so that the indexes hold).
 * undefined is "does not exist"; the patch of a removed document is `remove ""`, which nothing can apply.
 */
export function diffJson(before: JsonValue | undefined, after: JsonValue | undefined): JsonDiff {
  const diff: JsonDiff = { changes: [], patch: [] };
  compare(before, after, [], diff);
  return diff;
}

function compare(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  tokens: (string | number)[],
  diff: JsonDiff,
): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) compareArrays(before, after, tokens, diff);
  else if (isJsonObject(before) && isJsonObject(after)) compareObjects(before, after, tokens, diff);
  else addChange(before, after, formatPointer(tokens), diff);
}

function compareArrays(
  before: JsonValue[],
  after: JsonValue[],
  tokens: (string | number)[],
  diff: JsonDiff,
): void {
  const shared = Math.min(before.length, after.length);
  for (let index = 0; index < shared; index += 1) {
    compareAt(before[index], after[index], index, tokens, diff);
  }
  for (let index = shared; index < after.length; index += 1) {
    compareAt(undefined, after[index], index, tokens, diff);
  }
  for (let index = before.length - 1; index >= shared; index -= 1) {
    compareAt(before[index], undefined, index, tokens, diff);
  }
}

function compareObjects(
  before: JsonObject,
  after: JsonObject,
  tokens: (string | number)[],
  diff: JsonDiff,
): void {
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const was = Object.hasOwn(before, name) ? before[name] : undefined;
    const is = Object.hasOwn(after, name) ? after[name] : undefined;
    compareAt(was, is, name, tokens, diff);
  }
}

function compareAt(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  token: string | number,
  tokens: (string | number)[],
  diff: JsonDiff,
): void {
  tokens.push(token);
  compare(before, after, tokens, diff);
  tokens.pop();
}

function addChange(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  path: string,
  { changes, patch }: JsonDiff,
): void {
  if (after === undefined) {
    patch.push({ op: 'remove', path });
    if (before !== undefined) changes.push({ pointer: path, before });
  } else if (before === undefined) {
    patch.push({ op: 'add', path, value: after });
    changes.push({ pointer: path, after });
  } else {
    patch.push({ op: 'replace', path, value: after });
    changes.push({ pointer: path, before, after });
  }
}
