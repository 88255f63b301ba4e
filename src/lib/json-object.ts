import type { JsonObject, JsonValue } from './json-value.js';

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets an own member whatever its name: plain assignment to `__proto__` would change the prototype instead. */
export function setMember(object: JsonObject, name: string, value: JsonValue): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[name] = value;
  }
}

/**
 * Whether two JSON values are equal: members in any order, numbers by value (so 0 equals -0).
 * Recurses as deep as the shallower of the two. `onWidth` hears the width of each pair of containers before
 * their content is compared, for callers that bound the work.
 */
export function jsonEqual(a: JsonValue, b: JsonValue, onWidth?: (width: number) => void): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    onWidth?.(a.length);
    return a.every((item, index) => jsonEqual(item, b[index] as JsonValue, onWidth));
  }
  if (Array.isArray(b)) return false;
  const names = Object.keys(a);
  const width = Object.keys(b).length;
  onWidth?.(names.length + width);
  if (names.length !== width) return false;
  return names.every(
    (name) => Object.hasOwn(b, name) && jsonEqual(a[name] as JsonValue, b[name] as JsonValue, onWidth),
  );
}
