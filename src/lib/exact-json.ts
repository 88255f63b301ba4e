import {
  depthFailure,
  type ExactJsonFailure,
  errorFrom,
  memberFailure,
  numberFailure,
  stringFailure,
  unstorableText,
} from './exact-json-failure.js';
import { inspectJson } from './exact-json-inspect.js';
import { countOwnMembers, countPlainMembers } from './exact-json-scan.js';
import { isJsonObject } from './json-object.js';
import { boundedPointer } from './json-pointer.js';
import type { JsonValue } from './json-value.js';

export { ExactJsonError, type ExactJsonFailure } from './exact-json-failure.js';

const maxFailures = 100;
/** Deeper values are looked at without recursion. */
const maxPlainDepth = 1_000;

/**
 * Parses JSON and refuses what would not come back equal from storage (api.md, row "data"), instead of
 * changing it in silence as `JSON.parse` does. The outermost container is level 1 of `maxDepth`. Takes linear
 * time and no stack, whatever the depth and size.
 *
 * The common case is one pass over the text and one native parse; only a text in which something is amiss is
 * read slowly, to say what and where.
 * @throws {ExactJsonError}
 */
export function parseExactJson(text: string, options: { maxDepth: number }): JsonValue {
  const memberCount = countPlainMembers(text, options.maxDepth);
  if (memberCount !== null) {
    const value = parseNatively(text);
    if (value !== undefined && countOwnMembers(value) === memberCount) return value;
  }
  const failures = inspectJson(text, options.maxDepth, maxFailures);
  if (failures.length > 0) throw errorFrom(failures);
  return JSON.parse(text);
}

function parseNatively(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Place {
  value: JsonValue;
  depth: number;
  parent: Place | null;
  token: string | number;
}

/**
 * What keeps a value that did not come from `parseExactJson` (the result of a patch) from being stored:
 * the same rules, but for numbers, which are doubles by then (only infinite ones are refused).
 */
export function findUnstorable(value: JsonValue, options: { maxDepth: number }): ExactJsonFailure[] {
  if (isPlain(value, Math.min(options.maxDepth, maxPlainDepth))) return [];
  const failures: ExactJsonFailure[] = [];
  const waiting: Place[] = [{ value, depth: 1, parent: null, token: '' }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (failures.length >= maxFailures) break;
    inspectPlace(place, waiting, failures, options.maxDepth);
  }
  return failures;
}

/** Whether nothing in the value needs a closer look: one pass that remembers nothing, for almost every value. */
function isPlain(value: JsonValue, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth - 1));
  return Object.keys(value).every(
    (name) =>
      name !== '__proto__' &&
      name !== 'constructor' &&
      isPlain(name, 0) &&
      isPlain(value[name] as JsonValue, depth - 1),
  );
}

function inspectPlace(place: Place, waiting: Place[], failures: ExactJsonFailure[], maxDepth: number): void {
  const { value, depth } = place;
  if (typeof value === 'string') {
    if (unstorableText.test(value)) failures.push(stringFailure(pointerTo(place), value));
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) failures.push(numberFailure(pointerTo(place)));
  } else if (typeof value === 'object' && value !== null) {
    if (depth > maxDepth) {
      failures.push(depthFailure(pointerTo(place), maxDepth));
      return;
    }
    // Pushed last to first, so that the stack gives them in order.
    const entries: [string | number, JsonValue][] = Array.isArray(value)
      ? value.map((item, index) => [index, item])
      : Object.entries(value);
    for (const [token, child] of entries.reverse()) {
      const childPlace = { value: child, depth: depth + 1, parent: place, token };
      if (isForbiddenName(token, place)) failures.push(memberFailure(pointerTo(childPlace)));
      else if (typeof token === 'string' && unstorableText.test(token)) {
        failures.push(stringFailure(pointerTo(place), token));
      } else waiting.push(childPlace);
    }
  }
}

function isForbiddenName(name: string | number, inside: Place): boolean {
  if (name === '__proto__') return true;
  return name === 'prototype' && inside.token === 'constructor' && isJsonObject(inside.parent?.value);
}

function pointerTo(place: Place): string {
  const tokens: (string | number)[] = [];
  for (let at: Place | null = place; at?.parent; at = at.parent) tokens.push(at.token);
  return boundedPointer(tokens.reverse());
}
