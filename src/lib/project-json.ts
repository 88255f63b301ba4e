import { isJsonObject, setMember } from './json-object.js';
import type { JsonObject } from './json-value.js';

/** Only the members at these paths, nested as they were; paths that lead nowhere are left out. */
export function projectJson(data: JsonObject, paths: string[][]): JsonObject {
  const result: JsonObject = {};
  for (const path of paths) copyPath(data, result, path);
  return result;
}

function copyPath(from: JsonObject, to: JsonObject, path: string[]): void {
  const [name, ...rest] = path;
  if (name === undefined || !Object.hasOwn(from, name)) return;
  const value = from[name];
  if (value === undefined) return;
  if (rest.length === 0) {
    setMember(to, name, value);
    return;
  }
  if (!isJsonObject(value)) return;
  const present = Object.hasOwn(to, name) ? to[name] : undefined;
  const nested = isJsonObject(present) ? present : {};
  // What an earlier path copied whole must not be changed: it is the record's own.
  if (nested === value) return;
  setMember(to, name, nested);
  copyPath(value, nested, rest);
}
