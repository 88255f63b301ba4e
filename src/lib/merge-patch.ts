import { isJsonObject, setMember } from './json-object.js';
import type { JsonObject, JsonValue } from './json-value.js';

/**
 * JSON Merge Patch (RFC 7396, section 2). Neither argument is changed; the result shares what did not change
 * with both. A target of undefined is one that does not exist yet.
 */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  const result: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const name of Object.keys(patch)) {
    const value = patch[name] as JsonValue;
    if (value === null) delete result[name];
    else setMember(result, name, applyMergePatch(ownMember(result, name), value));
  }
  return result;
}

function ownMember(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
